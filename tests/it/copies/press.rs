//! Invented articles that look like news: words in Zipf's frequencies, stock phrases, names,
//! numbers.

use fastrand::Rng;

/// The commonest words. Other English words follow, and then invented ones.
const COMMON: [&str; 48] = [
    "the", "of", "to", "and", "a", "in", "said", "for", "that", "on", "is", "was", "with", "by",
    "it", "as", "at", "from", "will", "be", "has", "its", "an", "have", "he", "not", "are",
    "which", "would", "after", "his", "were", "they", "had", "been", "but", "their", "more", "who",
    "new", "also", "this", "over", "than", "about", "into", "up", "could",
];

const SYLLABLES: [&str; 40] = [
    "ba", "cor", "den", "el", "fi", "gar", "hol", "in", "jo", "ker", "la", "mon", "ne", "or", "pa",
    "qui", "ral", "so", "ter", "un", "ver", "wil", "yo", "zan", "tri", "sta", "pro", "con", "ment",
    "ing", "er", "tion", "ly", "al", "est", "ous", "com", "de", "re", "ex",
];

/// Phrases that any story may contain.
const STOCK: [&str; 16] = [
    "said in a statement on",
    "told reporters on",
    "declined to comment",
    "is expected to",
    "according to people who know of the matter",
    "did not respond to a request for comment",
    "for the first time since",
    "one of the largest",
    "a spokesman for the",
    "at the end of the",
    "in the first half of the year",
    "has been under pressure to",
    "who asked not to be named",
    "the vote was put off until",
    "could not be reached at once",
    "as well as the",
];

const VOCABULARY: usize = 20_000;

/// Other words of English, a line each.
const ENGLISH: &str = include_str!("../../../crates/rules/src/lint/words.txt");

/// Writes articles. Equal seeds write equal articles.
pub struct Press {
    pub rng: Rng,
    words: Vec<String>,
    /// For each word, the sum of its weight and of all weights before it.
    weights: Vec<u64>,
}

impl Press {
    pub fn new(mut rng: Rng) -> Self {
        let mut words: Vec<String> = COMMON.iter().map(ToString::to_string).collect();
        let mut english: Vec<&str> =
            ENGLISH.lines().filter(|line| !line.starts_with('#')).collect();
        rng.shuffle(&mut english);
        words.extend(english.into_iter().map(str::to_owned));
        while words.len() < VOCABULARY {
            let syllables = rng.usize(2..5);
            words.push((0..syllables).map(|_| *rng.choice(&SYLLABLES).expect("some")).collect());
        }
        let add = |sum: &mut u64, rank: u64| {
            *sum += 1_000_000_000 / rank;
            Some(*sum)
        };
        let weights = (1..).take(words.len()).scan(0, add).collect();
        Self { rng, words, weights }
    }

    /// A word. The n-th commonest has the weight 1/n.
    pub fn word(&mut self) -> String {
        let drawn = self.rng.u64(0..*self.weights.last().expect("some"));
        self.words[self.weights.partition_point(|weight| *weight <= drawn)].clone()
    }

    /// A word that any text may contain.
    pub fn common_word(&mut self) -> String {
        let at = self.rng.usize(0..4000);
        self.words[at].clone()
    }

    /// A headline.
    pub fn headline(&mut self) -> String {
        let names = [self.name(), self.name()];
        self.sentence(&names)
    }

    /// A rare word with a capital: a person, a place, a firm.
    pub fn name(&mut self) -> String {
        let word = &self.words[self.rng.usize(5000..VOCABULARY)];
        word[..1].to_uppercase() + &word[1..]
    }

    pub fn number(&mut self) -> String {
        match self.rng.u32(0..3) {
            0 => self.rng.u32(2..100).to_string(),
            1 => format!("{}.{}", self.rng.u32(1..900), self.rng.u32(0..10)),
            _ => (self.rng.u32(1..900) * 100).to_string(),
        }
    }

    pub fn sentence(&mut self, names: &[String]) -> String {
        let mut parts = Vec::new();
        for _ in 0..self.rng.usize(5..16) {
            parts.push(match self.rng.u32(0..100) {
                0..8 => (*self.rng.choice(&STOCK).expect("some")).to_owned(),
                8..18 => self.rng.choice(names).expect("some").clone(),
                18..23 => self.number(),
                _ => self.word(),
            });
        }
        let sentence = parts.join(" ") + ".";
        sentence[..1].to_uppercase() + &sentence[1..]
    }

    pub fn paragraph(&mut self, names: &[String]) -> String {
        (0..self.rng.usize(2..4)).map(|_| self.sentence(names)).collect::<Vec<_>>().join(" ")
    }

    /// The paragraphs of an article of 150 to 600 words.
    pub fn article(&mut self) -> Vec<String> {
        let names: Vec<String> = (0..6).map(|_| self.name()).collect();
        (0..self.rng.usize(6..18)).map(|_| self.paragraph(&names)).collect()
    }

    /// The text that an outlet prints below all of its articles: some 40 words.
    pub fn boilerplate(&mut self) -> String {
        let names = [self.name()];
        (0..4).map(|_| self.sentence(&names)).collect::<Vec<_>>().join(" ")
    }
}
