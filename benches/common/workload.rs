//! The workload of all benches: the same rules and stories on every run and machine.
//!
//! Each story has five hundred words from a vocabulary of 100,000, drawn by Zipf's law with the
//! exponent 1.07. The words of rules have ranks from 100 to 100,000, evenly distributed by the
//! logarithm of the rank: rules do not search `the`, and few search words that are never written.

use std::fmt::Write;

use tidings_rules::story::Story;

/// The seed of all random numbers.
const SEED: u64 = 7;

/// The number of words in the vocabulary.
const VOCABULARY: usize = 100_000;

const EXPONENT: f64 = 1.07;

/// The number of words in a story.
pub(crate) const LENGTH: usize = 500;

/// The rank of the most frequent word of a rule.
const COMMONEST: f64 = 100.0;

/// A random number generator (`SplitMix64`).
pub(crate) struct Draw(u64);

/// The spelling of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Plain ASCII.
    Ascii,
    /// One word of seven has a curly quote or an accented letter.
    Accents,
    /// Cyrillic letters.
    Cyrillic,
}

/// Words with their probabilities.
pub(crate) struct WeightedWords {
    pub(crate) words: Vec<String>,
    /// For each rank, the sum of the probabilities up to it.
    pub(crate) sums: Vec<f64>,
}

impl Draw {
    /// A generator for one purpose.
    pub(crate) fn new(purpose: u64) -> Self {
        Self(SEED.wrapping_add(purpose << 32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "as even as it has to be")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }
}

impl WeightedWords {
    pub(crate) fn new() -> Self {
        let words = (0..VOCABULARY).map(word).collect();
        let mut sum = 0.0;
        #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
        let mut sums: Vec<f64> = (1..=VOCABULARY)
            .map(|rank| {
                sum += (rank as f64).powf(-EXPONENT);
                sum
            })
            .collect();
        for part in &mut sums {
            *part /= sum;
        }
        Self { words, sums }
    }

    /// A random word of a story.
    fn written(&self, draw: &mut Draw) -> &str {
        let share = draw.share();
        let rank = self.sums.partition_point(|sum| *sum < share);
        &self.words[rank.min(VOCABULARY - 1)]
    }

    /// A random word of a rule.
    pub(crate) fn wanted(&self, draw: &mut Draw) -> &str {
        #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
        let rank = COMMONEST * (self.words.len() as f64 / COMMONEST).powf(draw.share());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank is small and positive"
        )]
        let rank = rank as usize;
        &self.words[rank.min(self.words.len() - 1)]
    }
}

/// The word with that rank. Rarer words are longer, and all words differ.
fn word(rank: usize) -> String {
    const FIRST: [&str; 20] = [
        "b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "ch",
        "st", "tr",
    ];
    const MIDDLE: [&str; 5] = ["a", "e", "i", "o", "u"];
    let mut word = String::new();
    let mut rest = rank;
    loop {
        let syllable = rest % 100;
        word.push_str(FIRST[syllable / 5]);
        word.push_str(MIDDLE[syllable % 5]);
        rest /= 100;
        if rest == 0 {
            break;
        }
        rest -= 1;
        word.push('n');
    }
    word
}

/// This number of stories.
pub(crate) fn stories(vocabulary: &WeightedWords, count: usize, script: Script) -> Vec<Story> {
    let mut draw = Draw::new(1);
    (0..count).map(|_| story(vocabulary, &mut draw, script)).collect()
}

fn story(vocabulary: &WeightedWords, draw: &mut Draw, script: Script) -> Story {
    let mut texts = [String::new(), String::new()];
    for number in 0..LENGTH {
        let text = &mut texts[usize::from(number >= 10)];
        let mut word = vocabulary.written(draw).to_owned();
        if number % 12 == 0 {
            word[..1].make_ascii_uppercase();
        }
        let word = match script {
            Script::Accents => accented(&word, draw.below(21)),
            Script::Ascii | Script::Cyrillic => word,
        };
        text.push_str(&word);
        text.push_str(match number % 84 {
            9 if number == 9 => "",
            83 => ".\n\n",
            end if end % 12 == 11 => ". ",
            end if end % 12 == 5 => ", ",
            _ => " ",
        });
    }
    let [title, body] =
        texts.map(|text| if script == Script::Cyrillic { in_cyrillic(&text) } else { text });
    Story::from_words(title, body)
}

fn accented(word: &str, kind: usize) -> String {
    match kind {
        0 => word.replace('e', "é").replace('o', "ö"),
        1 => format!("“{word}”"),
        2 => format!("{word}’s"),
        _ => word.to_owned(),
    }
}

/// The same letters in another alphabet, one for one.
pub(crate) fn in_cyrillic(text: &str) -> String {
    const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
    const CYRILLIC: [char; 26] = [
        'а', 'б', 'ц', 'д', 'е', 'ф', 'г', 'х', 'и', 'ж', 'к', 'л', 'м', 'н', 'о', 'п', 'щ', 'р',
        'с', 'т', 'у', 'в', 'ш', 'ы', 'э', 'з',
    ];
    let letter = |c: char| {
        let Some(at) = LATIN.find(c.to_ascii_lowercase()).filter(|_| c.is_ascii_alphabetic())
        else {
            return c;
        };
        if c.is_ascii_uppercase() {
            CYRILLIC[at].to_uppercase().next().unwrap_or(c)
        } else {
            CYRILLIC[at]
        }
    };
    text.chars().map(letter).collect()
}

/// A rule in a form for other tools: the words that it requires, and the words that it excludes.
pub(crate) struct Wanted {
    pub(crate) expression: String,
    /// Groups of words. One word of each group must be found.
    pub(crate) groups: Vec<Vec<String>>,
    /// Words that must not be found.
    pub(crate) never: Vec<String>,
}

/// This number of rules: 60% AND of two to four words, 15% with a group of words joined by OR, 10%
/// NEAR, 10% NOT, 5% wildcards.
pub(crate) fn rules(vocabulary: &WeightedWords, count: usize) -> Vec<Wanted> {
    let mut draw = Draw::new(2);
    (0..count).map(|number| rule(vocabulary, &mut draw, number % 100)).collect()
}

fn rule(vocabulary: &WeightedWords, draw: &mut Draw, kind: usize) -> Wanted {
    let mut some = |count: usize| -> Vec<String> {
        (0..count).map(|_| vocabulary.wanted(draw).to_owned()).collect()
    };
    let single = |words: &[String]| words.iter().map(|word| vec![word.clone()]).collect::<Vec<_>>();
    match kind {
        0..60 => {
            let words = some(2 + kind % 3);
            Wanted { expression: words.join(" AND "), groups: single(&words), never: Vec::new() }
        }
        60..75 => {
            let (word, group) = (some(1), some(2 + kind % 3));
            let expression = format!("{} AND ({})", word[0], group.join(" OR "));
            Wanted { expression, groups: [single(&word), vec![group]].concat(), never: Vec::new() }
        }
        75..85 => {
            let words = some(2);
            let expression = format!("{} NEAR/10 {}", words[0], words[1]);
            Wanted { expression, groups: single(&words), never: Vec::new() }
        }
        85..95 => {
            let (words, never) = (some(2), some(1));
            Wanted {
                expression: format!("{} NOT {}", words.join(" AND "), never[0]),
                groups: single(&words),
                never,
            }
        }
        _ => {
            let words = some(2);
            let start: String = words[0].chars().take(5).collect();
            let is_start = start.chars().count() > 2 && start.ends_with(char::is_alphabetic);
            let star = if is_start { "*" } else { "" };
            Wanted {
                expression: format!("{start}{star} AND {}", words[1]),
                groups: single(&words[1..]),
                never: Vec::new(),
            }
        }
    }
}

/// The rules as a rule file.
pub(crate) fn yaml(rules: &[Wanted]) -> String {
    let mut text = String::from("rules:\n");
    for (number, rule) in rules.iter().enumerate() {
        writeln!(text, "  - name: r{number:06}\n    when: {}", rule.expression)
            .expect("memory for a rule");
    }
    text
}
