//! Tests of the syntax of other tools, and of valid expressions that look like it.

use super::{describe, problems};

#[test]
fn what_other_tools_write_is_translated() {
    let described = describe(&[
        "turkey -recipe",
        "turkey -\"roast turkey\"",
        "+Russia +arms -sport",
        "!sport AND Russia",
        "Russia && arms",
        "Russia || arms",
        "missil!",
        "wom?n",
        "Russia w/5 arms",
        "Russia pre/3 arms",
        "Russia /s arms",
        "Russia near5 arms",
        "Russia AROUND(7) arms",
        "ATLEAST5(arms)",
        "intitle:arms",
        "roam~2",
        "\"North Korea\"~5",
    ]);
    insta::assert_snapshot!("foreign", described);
}

/// Expressions of other tools, each with the translation of the whole expression.
const FOREIGN: &[(&str, &str)] = &[
    ("Russia pre/5 arms", "Russia ONEAR/5 arms"),
    ("Russia onear/5 arms", "Russia ONEAR/5 arms"),
    ("Russia near/5 arms", "Russia NEAR/5 arms"),
    ("Russia NEAR arms", "Russia NEAR/10 arms"),
    ("Russia adj5 arms", "Russia ONEAR/5 arms"),
    ("Russia AROUND(5) arms", "Russia NEAR/5 arms"),
    ("ATLEAST5(arms) AND ATL3(oil)", "ATLEAST/5(arms) AND ATLEAST/3(oil)"),
    ("atleast/3(arms)", "ATLEAST/3(arms)"),
    ("atleast3 arms AND oil", "ATLEAST/3(arms) AND oil"),
    ("ATLEAST(arms)", "ATLEAST/3(arms)"),
    ("ANY(arms, oil)", "ANY/2(arms, oil)"),
    ("any/2(arms, oil)", "ANY/2(arms, oil)"),
    ("sent(arms AND oil)", "SENT(arms AND oil)"),
    ("para(arms AND oil)", "PARA(arms AND oil)"),
    ("HEADLINE(arms OR oil)", "title:(arms OR oil)"),
    ("HLEAD(arms) AND BODY(oil)", "lead:(arms) AND body:(oil)"),
    ("BYLINE(Smith) AND PUBLICATION(Times)", "author:(Smith) AND source:(Times)"),
    ("arms AND LENGTH > 100", "arms AND words > 100"),
    ("arms AND wc>100", "arms AND words > 100"),
    ("arms AND words: >5", "arms AND words > 5"),
    ("ALLCAPS(US) AND arms", "cs(US) AND arms"),
    ("cs (US) AND arms", "cs(US) AND arms"),
    ("NOCAPS(aids) AND arms", "(aids) AND arms"),
    ("PLURAL(arms)", "(arms)"),
    ("missil! AND nucle$ AND launch$3", "missil* AND nucle* AND launch*"),
    ("hd=arms AND la=en AND sn=Times", "title:arms AND lang:en AND source:Times"),
    ("hlp=(arms OR oil)", "lead:(arms OR oil)"),
    ("allintitle:arms AND inurl:oil", "title:arms AND url:oil"),
    ("ingress:arms AND sourcename:Times", "lead:arms AND source:Times"),
    ("arms AND language:en", "arms AND lang:en"),
    ("arms^2 AND roam~", "arms AND roam"),
    ("+arms -oil", "arms NOT oil"),
    ("~arms", "arms"),
];

#[test]
fn what_a_translation_says_is_what_to_write() {
    for (theirs, ours) in FOREIGN {
        let said = problems(theirs);
        let wanted = format!("write `{ours}`");
        assert!(said.iter().any(|said| said.contains(&wanted)), "{theirs}: {said:?}");
        assert_eq!(problems(ours), Vec::<String>::new(), "{theirs}");
    }
    for untranslated in [
        "Russia w/s arms",
        "Russia w/p arms",
        "Russia w/seg arms",
        "arms AND before:2026-01-01",
        "arms AND [a TO b]",
        "arms AND country:de",
    ] {
        assert_eq!(problems(untranslated).len(), 1, "{untranslated}");
    }
}

#[test]
fn what_only_looks_foreign_is_a_word() {
    for expression in [
        "F-16",
        "-5",
        "+44",
        "https://example.org/a",
        "12:30",
        "ratio:1",
        "Yonhap: North Korea",
        "words",
        "age of reason",
        "words =deal",
        "either /or",
        "\"a, b\"",
        "cs",
        "SENT",
        "either/or",
        "\"what?\"",
        "\"Yahoo!\"",
        "A&B",
        "rock'n'roll",
        "\"$100\"",
        "US$100",
        "a=b",
        "atleast five",
        "headline",
        "$100",
        "US$ AND arms",
        "the same day",
        "LEAD",
        "Headline",
        "LENGTH",
        "atleast",
        "~50 people",
        "[sic] he said",
        "wc",
        "any person",
        "by election",
        "CAPS",
    ] {
        assert_eq!(problems(expression), Vec::<String>::new());
    }
}
