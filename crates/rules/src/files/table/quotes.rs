//! Finds double quotes that join rows of a table. A CSV reader accepts them.

/// A damaged quote in a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// The start of the cell.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// The first cell of `text` that begins with a quote and does not end with one; `None` if there is
/// none.
pub(super) fn damage(text: &str) -> Option<Damage> {
    let bytes = text.as_bytes();
    let (mut at, mut row) = (0, 1);
    while at < bytes.len() {
        let start = at;
        if bytes[at] == b'"' {
            let Some(end) = end_of_quoted(bytes, at + 1) else {
                let message = format!("row {row}: a quote that is opened here is never closed");
                return Some(Damage {
                    at: start,
                    message,
                    help: "close it; a quote inside quotes is doubled",
                });
            };
            if !matches!(bytes.get(end), None | Some(b',' | b'\r' | b'\n')) {
                let message = format!(
                    "row {row}: text stands behind a quote that was opened here and closed"
                );
                return Some(Damage {
                    at: start,
                    message,
                    help: "a quote inside quotes is doubled: \"the \"\"Rex\"\"\"",
                });
            }
            at = end;
        } else {
            at +=
                bytes[at..].iter().take_while(|byte| !matches!(byte, b',' | b'\r' | b'\n')).count();
        }
        let line_ends = bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        // Empty lines are not rows.
        row += usize::from(line_ends > 0 && at > 0 && !matches!(bytes[at - 1], b'\r' | b'\n'));
        at += line_ends.max(1);
    }
    None
}

/// The end of a quoted cell, after its last quote; `None` if it is not closed.
fn end_of_quoted(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes[at..].iter().position(|byte| *byte == b'"')? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<(usize, String)> {
        damage(text).map(|damage| (damage.at, damage.message))
    }

    #[test]
    fn quotes_that_close_are_passed_over() {
        for text in [
            "",
            "a,b\n",
            "\"a\",\"b, c\"\r\n\"d \"\"e\"\"\",\"\"\r\n",
            "5\" gun,b\n",
            "\"a\nb\",c",
            "a,\n\n,b\n",
            "\"\"",
        ] {
            assert_eq!(said(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_does_not_close_its_cell_is_reported_with_its_row() {
        let open = |row| format!("row {row}: a quote that is opened here is never closed");
        let stray =
            |row| format!("row {row}: text stands behind a quote that was opened here and closed");
        for (text, at, expected) in [
            ("\"", 0, open(1)),
            ("a,b\n1,\"Ivan\n2,Petr\n", 6, open(2)),
            ("a\n\"b\nc\"\n\n\"d", 9, open(3)),
            ("a,b\r\n1,\"Ivan\r\n2,\"Petr\"\r\n", 7, stray(2)),
            ("a\n\"b\"c\n", 2, stray(2)),
        ] {
            assert_eq!(said(text), Some((at, expected)), "{text:?}");
        }
    }
}
