//! Tests of probable mistakes of beginners: each is refused or has a warning, and similar valid
//! expressions have none.

use super::problems;

/// Expressions, each with a part of its problem.
const DOUBTED: &[(&str, &str)] = &[
    ("arms, missiles", "write `arms OR missiles` if any"),
    ("arms; missiles", "`;` joins nothing"),
    ("arms + missiles", "`+` has no effect"),
    ("arms+missiles", "write `arms AND missiles`"),
    ("missile?", "`?` is not a wildcard"),
    ("Russia ? arms", "`?` has no effect"),
    ("Russia - sport", "`-` has no effect"),
    ("arms # the cities", "does not begin a comment"),
    ("Kim Jong Un\nPyongyang", "`Kim Jong Un OR Pyongyang`"),
    ("'Russia' AND 'North Korea'", "write `North Korea`"),
    ("‘North Korea’ AND arms", "single quotes have no effect"),
    ("Russia AND/OR arms", "write OR"),
    ("Russia ANDNOT arms", "write NOT"),
    ("Russland UND Waffen", "write AND"),
    ("Россия НЕ оружие", "write NOT"),
    ("SENT arms", "in parentheses"),
    ("ANY/2 arms", "in parentheses"),
    ("title :arms", "write `title:arms`"),
    ("TITLE:arms", "write `title:arms`"),
    ("（arms OR oil）", "`（` is not a parenthesis"),
    ("&arms oil", "write `arms oil`"),
    ("Russia &arms", "write `Russia AND arms`"),
    ("Russia NEAR/x arms", "`x` is not a number"),
    ("Russia NEAR/-1 arms", "`-1` is not a number"),
    ("Russia ONEAR/1.5 arms", "`1.5` is not a number"),
    ("Russia NEAR/ 5 arms", "write `Russia NEAR/5 arms`"),
    ("Russia NEAR 5 arms", "write `Russia NEAR/5 arms`"),
    ("ATLEAST/x(arms)", "does not say in how many places"),
    ("ATLEAST/-1(arms)", "does not say in how many places"),
    ("ATLEAST/3 arms", "needs parentheses"),
    ("ANY/-1(a, b)", "does not say how many"),
    ("SENT/5(arms)", "takes no number"),
];

#[test]
fn what_is_probably_not_meant_is_reported_with_what_to_write() {
    for (expression, said) in DOUBTED {
        let problems = problems(expression);
        assert!(
            problems.iter().any(|problem| problem.contains(said)),
            "{expression}: {problems:?}"
        );
    }
}

#[test]
fn what_is_meant_raises_no_doubt() {
    for expression in [
        "\"arms, missiles\"",
        "3,000 tons",
        "C++",
        "Google+ arms",
        "AT&T",
        "#NATO AND @POTUS",
        "\"what?\"",
        "O'Brien",
        "'90s music",
        "the boys' arms",
        "UN AND EU",
        "SENT(arms AND oil)",
        "Source of arms",
        "NEARLY arms",
        "Kim Jong-un",
        "Russia\nAND arms",
        "北朝鮮、韓国 AND arms",
    ] {
        let problems = problems(expression);
        assert!(problems.is_empty() || expression.contains('、'), "{expression}: {problems:?}");
    }
}
