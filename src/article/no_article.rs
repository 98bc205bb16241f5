//! Why no text of an article could be read from a page.

/// Why no article text could be read, in words that follow "teaser only: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoArticle {
    /// The page holds hardly any text. Its AMP version may hold more.
    #[error("{0}")]
    Stub(String),
    /// The page is of another kind, or refuses to be read.
    #[error("{0}")]
    Refused(String),
}

impl NoArticle {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}
