//! Foreign texts made fit for a terminal.

/// A foreign text on one line, without characters that steer a terminal or turn the direction of writing.
pub(super) fn shown(text: &str) -> String {
    let is_turn = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = text.chars().filter(|c| !is_turn(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_goes() {
        assert_eq!(shown("\u{1b}[31mred\r\n \u{202e}txt"), "[31mred txt");
    }
}
