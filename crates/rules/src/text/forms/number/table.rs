//! English words with irregular plurals.

/// Whether `words`, one of the tables below, contains `word`.
pub(super) fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|one| one == word)
}

/// Singulars and their irregular plurals.
pub(super) const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("person", "persons"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("ox", "oxen"),
    ("penny", "pence"),
    ("penny", "pennies"),
    ("quiz", "quizzes"),
    ("axis", "axes"),
    ("criterion", "criteria"),
    ("phenomenon", "phenomena"),
    ("medium", "media"),
    ("medium", "mediums"),
    ("datum", "data"),
    ("bacterium", "bacteria"),
    ("memorandum", "memoranda"),
    ("memorandum", "memorandums"),
    ("referendum", "referenda"),
    ("referendum", "referendums"),
    ("nucleus", "nuclei"),
    ("cactus", "cacti"),
    ("index", "indices"),
    ("index", "indexes"),
    ("matrix", "matrices"),
    ("appendix", "appendices"),
    ("hoof", "hooves"),
    ("hoof", "hoofs"),
    ("scarf", "scarves"),
    ("scarf", "scarfs"),
    ("dwarf", "dwarves"),
    ("dwarf", "dwarfs"),
    ("wharf", "wharves"),
    ("wharf", "wharfs"),
    ("elf", "elves"),
    ("self", "selves"),
];

/// Irregular endings, also of compounds.
pub(super) const ENDINGS: &[(&str, &str)] = &[
    ("man", "men"),
    ("child", "children"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("knife", "knives"),
    ("wife", "wives"),
    ("life", "lives"),
    ("leaf", "leaves"),
    ("loaf", "loaves"),
    ("thief", "thieves"),
    ("half", "halves"),
    ("calf", "calves"),
    ("wolf", "wolves"),
    ("shelf", "shelves"),
];

/// Words that end in `man` and have a regular plural.
pub(super) const NO_MEN: &str = "german human roman norman ottoman shaman talisman caiman cayman brahman mussulman turkman oman mongoose";

/// Words that end in `ch` with the sound of k.
pub(super) const HARD_CH: &str =
    "monarch patriarch matriarch oligarch epoch stomach eunuch tech czech loch hightech";

/// Singulars that end in a single `s` and look like plurals.
pub(super) const LIKE_GAS: &str = "gas biogas atlas bias canvas alias lens iris christmas pancreas";

/// Words that have no other number, or are plurals without a singular.
pub(super) const NO_SINGULARS: &str = "
    news series species us is was has as this his its yes thus plus aircraft spacecraft sheep deer salmon moose chinese
    japanese vietnamese lebanese goods an the and of to in on at it be by we he she me my or so no if up do go am are were
    been had did these those they them their many any very
";

/// Words that look like plurals, but are not.
pub(super) const NO_PLURALS: &str = "
    news us is was has as this his its yes thus plus does goes says ours hers yours theirs gas bus bias lens iris series
    species always perhaps sometimes besides towards afterwards across unless whereas goods means thanks customs corps
    politics economics physics mathematics ethics athletics electronics genetics logistics aesthetics dynamics mechanics
    robotics cosmetics olympics hamas mars paris texas kansas wales naples laos athens brussels philippines netherlands
    maldives cyprus damascus james charles williams adams edwards roberts richards stevens peters andrews daniels evans
    rogers harris davis lewis morris hughes collins jones dickens reuters forbes mercedes virus campus chaos canvas atlas
    alias christmas tennis basis crisis analysis status focus bonus census versus chorus corpus lotus genus radius minus
    jesus diabetes specimen regimen omen abdomen yemen rabies measles mumps
";
