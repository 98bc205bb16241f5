//! Stub.
pub(crate) fn other_numbers(word: &str) -> Vec<String> {
    if let Some(s) = word.strip_suffix('s') { vec![s.to_owned()] } else { vec![format!("{word}s")] }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stemmer(&'static str);
impl Stemmer {
    pub(crate) fn of(lang: &str) -> Option<Self> {
        ["en", "ru"].into_iter().find(|l| *l == lang).map(Self)
    }
    pub(crate) fn tag(self) -> &'static str {
        self.0
    }
    pub(crate) fn all() -> impl Iterator<Item = &'static str> {
        ["en", "ru"].into_iter()
    }
    pub(crate) fn stem(self, word: &str) -> String {
        word.trim_end_matches(|c| "sауоы".contains(c)).to_owned()
    }
}
pub(crate) fn sentences(text: &str) -> Vec<std::ops::Range<usize>> {
    use unicode_segmentation::UnicodeSegmentation;
    text.split_sentence_bound_indices().map(|(a, s)| a..a + s.trim_end().len()).collect()
}
pub(crate) fn without_marks(word: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    word.nfd().filter(|c| !is_combining_mark(*c)).collect()
}
