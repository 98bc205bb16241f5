//! Abbreviations that end with a full stop, and words that begin sentences.

/// Abbreviations that never end a sentence: titles, and words that refer to the next word. A
/// capital must be a capital in the text.
pub(super) const ALWAYS: &str = "
    Mr Mrs Ms Mx Dr Drs Prof Gen Lt Col Maj Capt Cmdr Sgt Cpl Pvt Adm Brig Rev Fr Hon Sen Sens Rep Reps Gov Govs Pres Amb
    Atty Supt Insp Msgr
    vs v approx ca cf e.g i.e viz
    Hr Frl Dipl bzw z.B d.h u.a sog vgl geb
    Mme Mmes Mlle MM Mgr Sra Srta Dra EE p.ej
    т.е т.к т.н им ул проф акад ген гр см ср
";

/// Abbreviations that end a sentence only before a word that begins one: names of firms and places,
/// months, states.
pub(super) const OFTEN: &str = "
    St Ste Mt Ft Inc Corp Ltd Co Cos Bros Plc LLC Jr Sr Esq Dept Est Univ Assn Ave Blvd Rd etc al
    Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec
    Ala Ariz Calif Colo Conn Fla Ill Mass Mich Minn Okla Penn Tenn Tex Wis
    usw Str GmbH Cie Av Ud Uds UU
    тыс млн млрд руб долл гг обл
";

/// Abbreviations that do not end a sentence before a number.
pub(super) const BEFORE_NUMBERS: &str =
    "No Nos Nr Art Arts Sec Fig Figs Vol Ch Op pp Núm núm ст гл стр";

/// Words after the number of a day with its full stop.
pub(super) const AFTER_DAYS: &str = "
    Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember Jahrhundert Jahrhunderts
";

/// Words that begin sentences, and are not names after an initial.
pub(super) const STARTERS: &str = "
    The A An He She It They We I You This That These Those There Then His Her Its Their Our My In On At As By For From To
    With After Before During Since Under But And Or Yet So If When While Where Although Though Because However Meanwhile
    Also Some Many Most Both All No Not One What Who Why How Now Last Earlier Later
    Der Das Er Sie Es Ein Eine Aber Und Im Am Wir
    Il Elle Ils Elles Ce Cette Mais Une
    Los Las Una Pero Esta
    В На Он Она Они Оно Но И А Это По Мы Как Так После Также
";
