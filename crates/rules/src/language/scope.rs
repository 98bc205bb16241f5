//! The fields that a part of an expression can search.

/// The field of a prefix such as `title:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// The headline.
    Title,
    /// The headline and the first paragraph of the text, at most fifty words of it.
    Lead,
    /// The text.
    Body,
    /// Headline and text. They are searched without a field, too.
    Text,
    /// The address.
    Url,
    /// The host of the address, and every domain that it is in.
    Site,
    /// The name of a feed that carried the story.
    Source,
    /// The authors.
    Author,
    /// The language, compared with a basic language range of RFC 4647.
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

    /// The name in expressions.
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

    /// The field with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// Whether it contains a part of the story's text.
    pub(crate) fn reads_body(self) -> bool {
        matches!(self, Self::Lead | Self::Body | Self::Text)
    }
}
