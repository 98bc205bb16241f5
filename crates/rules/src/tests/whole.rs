//! Cases that need more than a text: fields, dates, rules with lists and forms, the YAML form, and
//! refused rules.

use super::*;

/// A story with content in every field.
fn report() -> Story {
    Story {
        url: Some(
            "https://www.edition.example.co.uk/world/north-korea/arms_deal.html?id=7".to_owned(),
        ),
        lang: Some("en-GB".to_owned()),
        authors: vec!["Ana Smith".to_owned(), "Kim Lee".to_owned()],
        tags: vec!["Arms Trade".to_owned(), "Asia".to_owned()],
        source: Some("Northern Gazette".to_owned()),
        ..story(
            "Moscow talks to Seoul",
            "Shells for oil, say envoys.\n\nThe port was quiet. Trains were not.",
        )
    }
}

/// Expressions on fields, and whether they match [`report`].
const OF_FIELDS: &[(&str, bool)] = &[
    ("title:Moscow", true),
    ("title:moscow", true),
    ("title: Moscow", true),
    ("title:Shells", false),
    ("title:Moscow talks", true),
    ("title:\"talks to Seoul\"", true),
    ("title:Seoul Shells", false),
    ("title:(Moscow AND Seoul)", true),
    ("title:(Moscow AND Shells)", false),
    ("title:(Shells OR Seoul)", true),
    ("title:(Moscow NOT Shells)", true),
    ("title:(Moscow NOT Seoul)", false),
    ("title:Moscow AND Shells", true),
    ("title:Moscow AND body:Shells", true),
    ("title:Shells OR body:Shells", true),
    ("Shells NOT title:Shells", true),
    ("Moscow NOT title:Moscow", false),
    ("title:Mosc*", true),
    ("title:cs(Seoul)", true),
    ("title:cs(seoul)", false),
    ("title:Moscow NEAR/2 Seoul", true),
    ("title:Moscow NEAR/1 Seoul", false),
    ("title:(Seoul ONEAR/5 Moscow)", false),
    ("title:SENT(Moscow AND Seoul)", true),
    ("title:ATLEAST/2(Moscow OR Seoul)", true),
    ("title:ATLEAST/3(Moscow OR Seoul)", false),
    ("title:ANY/2(Moscow, Seoul, oil)", true),
    ("title:/Mos.*Seoul/", true),
    ("title:/Shells/", false),
    ("title:Seoul EXCEPT to Seoul", false),
    ("body:Moscow", false),
    ("body:port", true),
    ("body:SENT(Shells AND oil)", true),
    ("body:SENT(port AND Trains)", false),
    ("body:PARA(port AND Trains)", true),
    ("body:PARA(oil AND port)", false),
    ("text:Moscow AND text:port", true),
    ("text:(Moscow AND port)", true),
    ("Seoul Shells", false),
    ("Seoul NEAR/5 Shells", false),
    ("SENT(Seoul AND Shells)", false),
    ("PARA(Seoul AND Shells)", false),
    ("Seoul AND Shells", true),
    ("ATLEAST/2(Seoul OR Shells)", true),
    ("lead:Moscow", true),
    ("lead:envoys", true),
    ("lead:port", false),
    ("lead:(Moscow AND envoys)", true),
    ("lead:SENT(oil AND envoys)", true),
    ("url:North Korea", true),
    ("url:arms deal", true),
    ("url:arms", true),
    ("url:Moscow", false),
    ("url:example", true),
    ("url:/id=7/", true),
    ("url:(oil OR world)", true),
    ("site:example.co.uk", true),
    ("site:EXAMPLE.co.uk", true),
    ("site:edition.example.co.uk", true),
    ("site:www.edition.example.co.uk", true),
    ("site:co.uk", true),
    ("site:uk", true),
    ("site:ample.co.uk", false),
    ("site:example.com", false),
    ("site:example", false),
    ("site:(rt.com OR example.co.uk)", true),
    ("Moscow NOT site:rt.com", true),
    ("Moscow NOT site:example.co.uk", false),
    ("source:Yonhap", true),
    ("source:yonhap news", true),
    ("source:The Wire", true),
    ("source:News The", false),
    ("source:northern gazette", true),
    ("source:Wire Northern", false),
    ("gazette", false),
    ("source:asia", false),
    ("source:(TASS OR Wire)", true),
    ("author:Ana Smith", true),
    ("author:SMITH", true),
    ("author:Smith Kim", false),
    ("author:(Lee AND Smith)", true),
    ("author:Moscow", false),
    ("tag:arms", true),
    ("tag:\"arms trade\"", true),
    ("tag:Trade Asia", false),
    ("tag:oil", false),
    ("Smith", false),
    ("Yonhap", false),
    ("trade", false),
    ("example", false),
    ("Moscow AND lang:en", true),
    ("Moscow AND lang:EN", true),
    ("Moscow AND lang:en-GB", true),
    ("Moscow AND lang:en_gb", true),
    ("Moscow AND lang:en-US", false),
    ("Moscow AND lang:de", false),
    ("Moscow AND lang:(de OR en)", true),
    ("Moscow NOT lang:de", true),
    ("Moscow NOT lang:en", false),
    ("Moscow AND words >= 15", true),
    ("Moscow AND words > 16", false),
];

#[test]
fn a_field_holds_what_stands_behind_it_and_nothing_else() {
    let carrier = |name: &str| Carrier {
        name: FeedName(name.to_owned()),
        tags: BTreeSet::from(["asia".to_owned()]),
    };
    let carriers = [carrier("Yonhap News"), carrier("The Wire")];
    for &(expression, expected) in OF_FIELDS {
        let query = query(expression);
        assert_eq!(query.holds(&report(), &carriers), expected, "{expression}");
        assert_eq!(
            query.explain(&report(), &carriers, &Read::Full).reasons().is_empty(),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn what_a_story_does_not_have_no_field_finds() {
    let bare = story("Arms", "");
    for expression in
        ["url:arms", "site:example.org", "source:arms", "author:arms", "tag:arms", "body:arms"]
    {
        assert!(!query(expression).holds(&bare, &[]), "{expression}");
        assert!(query(&format!("arms NOT {expression}")).holds(&bare, &[]), "{expression}");
    }
    assert!(!query("arms AND lang:en").holds(&bare, &[]));
    assert!(query("lead:arms AND title:arms AND text:arms").holds(&bare, &[]));
}

#[test]
fn the_lead_is_the_title_and_the_first_paragraph_or_fifty_words() {
    let words = |count: usize| "word ".repeat(count);
    let cases = [
        ("", format!("{}last", words(49)), true),
        ("", format!("{}last", words(50)), false),
        ("", format!("{}\n\nlast", words(3)), false),
        ("", format!("{}\nlast", words(3)), true),
        ("A title does not count", format!("{}last", words(49)), true),
        ("last", words(60), true),
        ("", "\n\nlast".to_owned(), true),
    ];
    for (title, body, expected) in cases {
        assert_eq!(query("lead:last").holds(&story(title, &body), &[]), expected, "{title} {body}");
    }
    let across = story("", &format!("{}last but one", words(49)));
    assert!(!query("lead:last but").holds(&across, &[]), "a phrase that ends in the 51st word");
}

#[test]
fn an_age_is_first_seen_minus_published_and_unknown_where_there_is_none() {
    let at = |time: &str| time.parse::<Timestamp>().expect("a time");
    let seen = at("2026-11-24T12:00:00Z");
    let cases = [
        ("age < 1d", Some("2026-11-23T12:00:01Z"), true),
        ("age < 1d", Some("2026-11-23T12:00:00Z"), false),
        ("age <= 1d", Some("2026-11-23T12:00:00Z"), true),
        ("age <= 24h", Some("2026-11-23T12:00:00Z"), true),
        ("age > 36h", Some("2026-11-22T23:59:59Z"), true),
        ("age > 36h", Some("2026-11-23T00:00:00Z"), false),
        ("age >= 36h", Some("2026-11-23T00:00:00Z"), true),
        ("age >= 30m", Some("2026-11-24T11:30:00Z"), true),
        ("age>=2w", Some("2026-11-10T12:00:00Z"), true),
        ("age < 1d", Some("2026-11-25T12:00:00Z"), true),
        ("age > 1d", Some("2026-11-25T12:00:00Z"), false),
        ("(NOT age < 1d)", Some("2026-11-23T12:00:00Z"), true),
        ("age < 1d", None, false),
        ("age > 1d", None, false),
        ("(NOT age < 1d)", None, false),
        ("(NOT (NOT age < 1d))", None, false),
        ("(age < 1d OR arms)", None, true),
        ("(age < 1d OR oil)", None, false),
        ("(NOT (age < 1d AND oil))", None, true),
        ("ANY/1(arms, age < 1d)", None, true),
    ];
    for (expression, published, expected) in cases {
        let story = Story { published: published.map(at), first_seen: seen, ..story("", "arms") };
        assert_eq!(
            query(&format!("arms AND {expression}")).holds(&story, &[]),
            expected,
            "{expression} {published:?}"
        );
    }
}

const LISTS: &str = "terms:
  dprk: [North Korea, DPRK, Pyongyang]
  weapons: [arms, weapon*, \"artillery shell*\"]
  all: [$dprk, $weapons, oil]
  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은, 金正恩], stem: {ru: [Ким Чен Ын], en: [leader]}}
  exact: [=arm, =\"missile test\"]
";

#[test]
fn a_list_stands_for_any_of_its_terms() {
    let cases = [
        ("$dprk", "in North Korea", true),
        ("$dprk", "dprk", true),
        ("$dprk", "in Korea, north", false),
        ("$dprk", "South Korea", false),
        ("$weapons", "weaponry", true),
        ("$weapons", "artillery-shelling", true),
        ("$all", "oil", true),
        ("$all", "Pyongyang", true),
        ("$all", "gas", false),
        ("Russia AND $dprk AND $weapons", "Russia, Pyongyang: weapons", true),
        ("Russia AND $dprk AND $weapons", "Russia, Pyongyang: farms", false),
        ("Russia AND ($dprk OR $kim)", "Russia, 金正恩氏", true),
        ("Russia NOT $weapons", "Russia has weapons", false),
        ("Russia NOT $weapons", "Russia has oil", true),
        ("$dprk NEAR/2 $weapons", "weapons for North Korea", true),
        ("$dprk NEAR/3 $weapons", "weapons for all of North Korea", true),
        ("$dprk NEAR/2 $weapons", "weapons for all of North Korea", false),
        ("$dprk ONEAR/2 $weapons", "weapons for North Korea", false),
        ("$dprk EXCEPT North Korea town", "North Korea town", false),
        ("$dprk EXCEPT North Korea town", "Pyongyang, a North Korea town", true),
        ("Korea EXCEPT $dprk", "North Korea", false),
        ("Korea EXCEPT $dprk", "South Korea", true),
        ("($dprk OR Russia) NEAR/0 $weapons", "Russia: arms", true),
        ("ATLEAST/2($dprk)", "North Korea, or DPRK", true),
        ("ATLEAST/2($dprk)", "North Korea", false),
        ("ATLEAST/2($dprk OR oil)", "oil, DPRK", true),
        ("ANY/2($dprk)", "North Korea, or DPRK", true),
        ("ANY/2($dprk)", "DPRK and DPRK", false),
        ("ANY/2($dprk, oil)", "DPRK and oil", true),
        ("ANY/3($dprk, $weapons)", "DPRK, Pyongyang, arms", true),
        ("ANY/3($dprk, $weapons)", "DPRK, arms", false),
        ("ANY/2(($dprk OR gas), oil)", "DPRK and Pyongyang", false),
        ("SENT($dprk AND $weapons)", "DPRK arms.", true),
        ("SENT($dprk AND $weapons)", "DPRK. Arms.", false),
        ("title:$dprk", "DPRK", false),
        ("body:$dprk", "DPRK", true),
        ("$kim", "Kim Jong-un", true),
        ("$kim", "김정은이", true),
        ("$kim", "встреча с Ким Чен Ыном", true),
        ("$kim", "Ким Чен Ир", false),
        ("$kim", "leaders", true),
        ("$exact", "arm", true),
        ("$exact", "arms", false),
        ("$exact", "missile tests", false),
    ];
    for (expression, text, expected) in cases {
        let rules = rules(&format!("{LISTS}rules:\n  - {{name: a, when: '{expression}'}}\n"));
        assert_eq!(
            !rules.matches(&story("", text), &[]).is_empty(),
            expected,
            "{expression} in {text:?}"
        );
    }
}

#[test]
fn forms_widen_words_that_do_not_say_otherwise() {
    let cases = [
        ("forms: plain", "weapon", "weapons", false),
        ("forms: plural", "weapon", "weapons", true),
        ("forms: plural", "weapons", "a weapon", true),
        ("forms: plural", "city", "cities", true),
        ("forms: plural", "child", "children", true),
        ("forms: plural", "weapon", "weaponry", false),
        ("forms: plural", "=weapon", "weapons", false),
        ("forms: plural", "=weapon", "Weapon", true),
        ("forms: plural", "arms deal", "arms deals", true),
        ("forms: plural", "arms deal", "arm deal", true),
        ("forms: plural", "=arms deal", "arm deals", false),
        ("forms: plural", "=arms deal", "arms deals", true),
        ("forms: plural", "=\"arms deal\"", "arms deals", false),
        ("forms: plural", "weapon NEAR/1 Iran", "weapons for Iran", true),
        ("forms: plural", "ATLEAST/2(weapon)", "a weapon, weapons", true),
        ("forms: plural", "cs(Apple)", "Apples", true),
        ("forms: plural", "cs(Apple)", "apples", false),
        ("forms: plural", "oil NOT weapon", "oil, weapons", false),
        ("stem: en", "launch", "launched", true),
        ("stem: en", "launch", "launching", true),
        ("stem: en", "arms", "armed", true),
        ("stem: en", "=arms", "armed", false),
        ("stem: en", "launch", "lunch", false),
        ("forms: {stem: en}", "launch", "launches", true),
        ("stem: ru", "Россия", "в России", true),
        ("stem: ru", "атомная бомба", "об атомной бомбе", true),
        ("stem: ru", "=Россия", "в России", false),
        ("stem: ru", "ракета", "пуск ракеты", true),
        ("stem: ru", "ракета", "ракетчик", false),
        ("stem: de", "Waffe", "Waffen", true),
        ("forms: plural", "$dprk", "DPRKs", true),
        ("forms: plural", "$weapons", "an arm", true),
        ("forms: plural", "$exact", "arms", false),
        ("stem: en", "$kim", "встреча с Ким Чен Ыном", true),
    ];
    assert_forms(&cases);
}

#[test]
fn the_forms_of_a_language_find_its_words_and_no_others() {
    assert_forms(&[
        ("stem: ru", "Корея", "в Корее", true),
        ("stem: ru", "Северная Корея", "с Северной Кореей", true),
        ("stem: ru", "Лавров", "с Лавровым", true),
        ("stem: ru", "Лавров", "С ЛАВРОВЫМ", true),
        ("stem: ru", "Лавров", "лавровым листом", false),
        ("stem: ru", "Лавров", "Лавровый лист", false),
        ("stem: ru", "Медведев", "медведь в лесу", false),
        ("stem: ru", "запустить", "запустил", true),
        ("stem: uk", "Харків", "з Харкова", true),
        ("stem: bg", "ракета", "ракетата", true),
        ("stem: he", "ישראל", "בישראל", true),
        ("stem: ar", "إيران", "وبإيران", true),
        ("forms: inflected", "sanction", "sanctioning", true),
        ("forms: inflected", "import", "important", false),
        ("forms: plural", "cs(MP)", "Two MPs left.", true),
        ("forms: plural", "cs(MP)", "two mps", false),
        ("stem: en", "NGO", "two NGOs", true),
    ]);
}

/// Checks the forms of rules and of a file's defaults: forms, an expression, a text, and whether it
/// matches.
fn assert_forms(cases: &[(&str, &str, &str, bool)]) {
    for &(forms, expression, text, expected) in cases {
        let flow = format!("{LISTS}rules:\n  - name: a\n    {forms}\n    when: '{expression}'\n");
        let found = !rules(&flow).matches(&story("", text), &[]).is_empty();
        assert_eq!(found, expected, "{forms}: {expression} in {text:?}");
        let default = format!(
            "{LISTS}defaults: {{{forms}}}\nrules:\n  - name: a\n    when: '{expression}'\n"
        );
        let found = !rules(&default).matches(&story("", text), &[]).is_empty();
        assert_eq!(found, expected, "defaults {forms}: {expression} in {text:?}");
    }
}

#[test]
fn yaml_says_the_same_as_an_expression() {
    let cases = [
        ("{all: [Russia, arms]}", "arms for Russia", true),
        ("{all: [Russia, arms]}", "Russia", false),
        ("{any: [Russia, arms]}", "arms", true),
        ("{any: [Russia, arms]}", "oil", false),
        ("{all: Russia}", "Russia", true),
        (
            "{all: [Russia, North Korea, {any: [arms, weapons]}], not: [football]}",
            "Russia, North Korea: weapons",
            true,
        ),
        (
            "{all: [Russia, North Korea, {any: [arms, weapons]}], not: [football]}",
            "Russia, North Korea",
            false,
        ),
        (
            "{all: [Russia, North Korea, {any: [arms, weapons]}], not: [football]}",
            "Russia, North Korea, arms, football",
            false,
        ),
        ("{all: [Russia], not: [football, hockey]}", "Russia plays hockey", false),
        ("{all: [Russia], not: [football, hockey]}", "Russia plays chess", true),
        ("{all: [Russia], any: [arms, oil]}", "Russia has oil", true),
        ("{all: [Russia], any: [arms, oil]}", "Russia has gas", false),
        ("{all: [Russia AND arms OR oil]}", "", false),
        ("{all: [\"Russia AND (arms OR oil)\", gas]}", "gas, oil, Russia", true),
        ("{all: [\"$dprk\", Russia NEAR/1 arms]}", "DPRK: Russia sells arms", true),
        ("{all: [\"title:Russia\", arms]}", "Russia, arms", false),
        ("{any: [{all: [Russia, arms]}, {all: [Iran, oil]}]}", "Iran has oil", true),
        ("{any: [{all: [Russia, arms]}, {all: [Iran, oil]}]}", "Iran has arms", false),
        ("{all: [Russia, {not: football}]}", "Russia plays chess", true),
        ("{all: [Russia, {not: football}]}", "Russia plays football", false),
    ];
    for (when, text, expected) in cases {
        let yaml = format!("{LISTS}rules:\n  - name: a\n    when: {when}\n");
        let source = Arc::new(Source { name: "rules/a.yaml".to_owned(), text: yaml });
        let rules = Rules::load(&vec![source].into(), None, &mut Vec::new());
        assert_eq!(rules.is_none(), text.is_empty(), "{when}");
        let found = rules.is_some_and(|rules| !rules.matches(&story("", text), &[]).is_empty());
        assert_eq!(found, expected, "{when} in {text:?}");
    }
}

/// Asserts that each expression is refused with a text that contains the second of the pair.
fn assert_refused(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        let mut faults = Vec::new();
        let query = Query::parse(expression, &mut faults);
        let refusal = render(&faults, false);
        assert!(query.is_none() && refusal.contains(expected), "{expression}: {refusal}");
    }
}

#[test]
fn expressions_that_match_everything_are_refused() {
    assert_refused(&[
        ("NOT arms", "match nearly every story"),
        ("NOT arms AND NOT oil", "match nearly every story"),
        ("arms OR NOT oil", "match nearly every story"),
        ("words > 100", "match nearly every story"),
        ("age < 2d AND lang:en", "match nearly every story"),
        ("lang:en NOT arms", "match nearly every story"),
        ("title:(NOT arms)", "match nearly every story"),
        ("SENT(NOT arms)", "match nearly every story"),
        ("ANY/1(arms, NOT oil)", "match nearly every story"),
    ]);
}

#[test]
fn the_syntax_of_other_tools_is_translated() {
    assert_refused(&[
        ("turkey -recipe", "`turkey NOT recipe`"),
        ("+Russia +arms", "`Russia AND arms`"),
        ("Russia && arms", "`Russia AND arms`"),
        ("Russia || arms", "`Russia OR arms`"),
        ("missil!", "`missil*`"),
        ("Russia w/5 arms", "`Russia NEAR/5 arms`"),
        ("Russia near5 arms", "`Russia NEAR/5 arms`"),
        ("Russia pre/3 arms", "`Russia ONEAR/3 arms`"),
        ("Russia adj3 arms", "`Russia ONEAR/3 arms`"),
        ("Russia AROUND(5) arms", "`Russia NEAR/5 arms`"),
        ("Russia w/s arms", "`SENT(one AND other)`"),
        ("Russia w/p arms", "`PARA(one AND other)`"),
        ("ATLEAST5(arms)", "`ATLEAST/5(arms)`"),
        ("atleast5(arms)", "`ATLEAST/5(arms)`"),
        ("atleast5 arms", "ATLEAST/5(arms)"),
        ("intitle:arms", "`title:arms`"),
        ("headline:arms", "`title:arms`"),
        ("hlead:arms", "`lead:arms`"),
        ("ingress:arms", "`lead:arms`"),
        ("HEADLINE(arms OR oil)", "`title:(arms OR oil)`"),
        ("HLEAD(arms)", "`lead:(arms)`"),
        ("Russia AND CAPS(ICE)", "`Russia AND cs(ICE)`"),
        ("PUBLICATION(Yonhap)", "`source:(Yonhap)`"),
        ("hd=arms", "`title:arms`"),
        ("Russia AND la=ru", "`Russia AND lang:ru`"),
        ("arms AND wc>500", "`arms AND words > 500`"),
        ("arms AND LENGTH>500", "`arms AND words > 500`"),
        ("missil$", "`missil*`"),
        ("missil$3", "`missil*`"),
    ]);
}

#[test]
fn broken_expressions_are_refused_with_a_remedy() {
    assert_refused(&[
        ("Russia AND arms OR oil", "`(Russia AND arms) OR oil` or `Russia AND (arms OR oil)`"),
        ("Russia OR arms AND oil", "`Russia OR (arms AND oil)` or `(Russia OR arms) AND oil`"),
        ("Russia OR arms NOT oil", "add parentheses"),
        ("\"North Korea\" (arms OR oil)", "AND"),
        ("\"North Korea\" arms", "AND"),
        ("Russia NEAR/5 arms NEAR/5 oil", "not in a chain"),
        ("Russia NEAR/5 (arms AND oil)", "joined by OR"),
        ("Russia NEAR arms", "`Russia NEAR/10 arms`"),
        ("(Russia AND arms", "never closed"),
        ("Russia AND arms)", "closes nothing"),
        ("\"North Korea", "never closed"),
        ("mi*", "three letters or digits"),
        ("*arms", "does not end a word"),
        ("a*", "three letters or digits"),
        ("р*", "two in Cyrillic"),
        ("cs(US OR ICE)", "one word or phrase"),
        ("titel:arms", "did you mean `title:`"),
        ("foo:arms", "no field `foo:`"),
        ("/\\w+/", "three letters in a row"),
        ("/(a)\\1bcd/", "backreferences"),
        ("ANY/3(arms, oil)", "can never hold"),
        ("$nobody", "no term list"),
        ("AND arms", "nothing stands before `AND`"),
        ("arms AND", "nothing follows `AND`"),
        ("...", "no word in this"),
    ]);
}
