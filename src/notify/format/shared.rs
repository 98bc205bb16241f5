//! Parts of messages that several formats share.

use super::bounded::BoundedText;
use crate::notify::quote::{QuotePiece, join_pieces};
use crate::notify::view::message_view::MessageView;
use tidings_rules::story::Severity;

/// The headline, with the severity before it if that is high or critical.
pub(super) fn headline_with_severity(view: &MessageView) -> String {
    view.prefix_severity(join_pieces(&view.title))
}

/// Adds a quote to `text`, with `open` and `close` around its matched words.
pub(super) fn push_quote(text: &mut BoundedText, quote: &[QuotePiece], open: &str, close: &str) {
    for piece in quote {
        if piece.marked {
            text.push_between(open, &piece.text, close);
        } else {
            text.push(&piece.text);
        }
    }
}

/// The colour of the severity, as 0xRRGGBB.
pub(super) fn severity_colour(view: &MessageView) -> u32 {
    match view.severity {
        None | Some(Severity::Info) => 0x80_80_80,
        Some(Severity::Low) => 0x2b_9e_b3,
        Some(Severity::Medium) => 0x2f_6f_de,
        Some(Severity::High) => 0xd6_45_45,
        Some(Severity::Critical) => 0x8b_00_00,
    }
}
