//! The fields that a part of an expression can be about.

/// What `title:` and the like search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// The headline.
    Title,
    /// The headline and the text's first paragraph, at most fifty words of it.
    Lead,
    /// The text.
    Body,
    /// Headline and text, as without a field.
    Text,
    /// The address.
    Url,
    /// The address's host, and what ends in it.
    Site,
    /// The name of a feed that carried the story.
    Source,
    /// Who wrote it.
    Author,
    /// The language: a basic language range of RFC 4647.
    Lang,
    /// The publisher's own categories.
    Tag,
}

impl Scope {
    /// Every field.
    pub(crate) const ALL: [Self; 10] = [
        Self::Title,
        Self::Lead,
        Self::Body,
        Self::Text,
        Self::Url,
        Self::Site,
        Self::Source,
        Self::Author,
        Self::Lang,
        Self::Tag,
    ];

    /// The word that expressions use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Lead => "lead",
            Self::Body => "body",
            Self::Text => "text",
            Self::Url => "url",
            Self::Site => "site",
            Self::Source => "source",
            Self::Author => "author",
            Self::Lang => "lang",
            Self::Tag => "tag",
        }
    }

    /// The field of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// Whether the story's text has a part in it.
    pub(crate) fn reads_body(self) -> bool {
        matches!(self, Self::Lead | Self::Body | Self::Text)
    }
}
