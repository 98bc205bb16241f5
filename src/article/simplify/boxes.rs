//! Recognises boxes, such as a newsletter's, by the classes and ids that their pages give them.

/// The names of boxes, as words with `-` between them. A name also stands for longer ones that
/// begin with it.
const BOXES: [&str; 73] = [
    "about-author",
    "about-the-author",
    "also-read",
    "author-bio",
    "author-box",
    "author-card",
    "author-description",
    "author-info",
    "authorbox",
    "breadcrumb",
    "comment-form",
    "comment-list",
    "comment-respond",
    "commentlist",
    "comments",
    "cookie-banner",
    "cookie-bar",
    "cookie-consent",
    "cookie-notice",
    "cookiebar",
    "disqus",
    "donat",
    "follow-us",
    "hover-card",
    "hovercard",
    "inline-related",
    "login",
    "mailing-list",
    "more-from",
    "more-on",
    "more-stories",
    "most-popular",
    "most-read",
    "most-viewed",
    "mostread",
    "newsletter",
    "next-article",
    "next-post",
    "next-story",
    "nextstory",
    "outbrain",
    "pagination",
    "popover",
    "popular-posts",
    "popup",
    "post-author",
    "post-navigation",
    "post-tags",
    "promobox",
    "read-also",
    "read-next",
    "recirc",
    "recommend",
    "related",
    "saboxplugin",
    "share-bar",
    "share-buttons",
    "sharedaddy",
    "sign-up",
    "signup",
    "social-media",
    "social-share",
    "sponsor",
    "subscribe-box",
    "subscribe-form",
    "subscribe-widget",
    "subscription-box",
    "taboola",
    "tag-list",
    "taglist",
    "tags",
    "teasers",
    "trending",
];

/// The names of boxes if most of their text is links.
const LINK_BOXES: [&str; 10] = [
    "teaser",
    "widget",
    "promo",
    "popular",
    "read-more",
    "readmore",
    "social",
    "share",
    "sharing",
    "toc",
];

/// The names of players. Their boxes are short.
const PLAYERS: [&str; 4] = ["audio", "player", "podcast", "video"];

/// The most bytes of text of the box of a player.
const PLAYER: usize = 250;

/// The kinds of boxes. They differ in what else distinguishes them from the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoxKind {
    /// By its name alone.
    Named,
    /// If most of its text is links.
    Links,
    /// If its text is short.
    Player,
}

impl BoxKind {
    /// The kind of box of an element with these classes and this id.
    pub(super) fn of(marks: [&str; 2]) -> Option<Self> {
        let names: Vec<String> =
            marks.iter().flat_map(|mark| mark.split_ascii_whitespace()).map(words_of).collect();
        let kinds = [
            (Self::Named, &BOXES[..]),
            (Self::Links, &LINK_BOXES[..]),
            (Self::Player, &PLAYERS[..]),
        ];
        kinds.into_iter().find(|(_, boxes)| is_named(&names, boxes)).map(|(kind, _)| kind)
    }

    /// Whether an element of this kind with this much text is a box. `total` is the text of the
    /// page: an element with much of it is no box.
    pub(super) fn holds(self, text: usize, linked: usize, total: usize) -> bool {
        3 * text <= total
            && match self {
                Self::Named => true,
                Self::Links => 2 * linked >= text,
                Self::Player => text <= PLAYER,
            }
    }
}

fn is_named(names: &[String], boxes: &[&str]) -> bool {
    let begins = |name: &String, start: &str| {
        name.match_indices(start).any(|(at, _)| at == 0 || name.as_bytes()[at - 1] == b'-')
    };
    names.iter().any(|name| boxes.iter().any(|start| begins(name, start)))
}

/// A class or id as its words in lower case, with `-` between them: `relatedLinks__item` is
/// `related-links--item`.
fn words_of(mark: &str) -> String {
    let mut words = String::with_capacity(mark.len() + 4);
    let mut was_lower = false;
    for c in mark.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push('-');
        }
        words.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        was_lower = c.is_lowercase();
    }
    words
}
