//! Tables that fit the terminal. In a pipe, each row is one line.

use std::io::{IsTerminal, stdout};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// The narrowest and the widest table, in columns.
const WIDTHS: (usize, usize) = (60, 160);

/// The width of the terminal, within bounds. `None` in a pipe or a file: programs read rows, and a
/// row is a line.
pub(super) fn table_width() -> Option<usize> {
    stdout().is_terminal().then(|| textwrap::termwidth().clamp(WIDTHS.0, WIDTHS.1))
}

/// Rows under `heads`, at most `width` columns wide. The columns with the indexes `whole` are as
/// wide as their content, and the others share the rest. Without a width, no cell is wrapped.
pub(super) fn columns<const N: usize>(
    heads: [&str; N],
    rows: Vec<[String; N]>,
    whole: &[usize],
    width: Option<usize>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if whole.contains(&place) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_in_a_pipe_and_wraps_on_a_terminal() {
        let row = || ["7".to_owned(), "word ".repeat(40).trim_end().to_owned()];
        let table = |width| columns(["ID", "TEXT"], vec![row(), row()], &[0], width);
        assert_eq!(table(None).lines().count(), 3);
        assert!(table(None).lines().all(|line| line.len() < 210 && !line.ends_with(' ')));
        let narrow = table(Some(60));
        assert!(narrow.lines().count() > 6 && narrow.lines().all(|line| line.len() <= 60));
    }
}
