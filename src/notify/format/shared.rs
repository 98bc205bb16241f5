//! What all formats take from a view.

use crate::notify::quote::QuotePiece;
use crate::notify::view::message_view::MessageView;
use tidings_rules::story::Severity;

/// The severity in capitals where it is grave, and the headline.
pub(super) fn headline_with_severity(view: &MessageView) -> String {
    let title = join_pieces(&view.title);
    match view.severity.filter(|severity| *severity >= Severity::High) {
        Some(severity) => format!("{}: {title}", severity.as_str().to_uppercase()),
        None => title,
    }
}

/// Pieces as one text, without marks.
pub(super) fn join_pieces(pieces: &[QuotePiece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// A colour for the severity, as 0xRRGGBB.
pub(super) fn severity_colour(view: &MessageView) -> u32 {
    match view.severity {
        None | Some(Severity::Info) => 0x80_80_80,
        Some(Severity::Low) => 0x2b_9e_b3,
        Some(Severity::Medium) => 0x2f_6f_de,
        Some(Severity::High) => 0xd6_45_45,
        Some(Severity::Critical) => 0x8b_00_00,
    }
}
