//! Tables that fit a width. Cells are wrapped, except in columns that must stay whole.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// Rows under `heads`, at most `width` columns wide. The columns with the indexes `whole` are as
/// wide as their content, and the others share the rest.
pub(super) fn columns<const N: usize>(
    heads: [&str; N],
    rows: Vec<[String; N]>,
    whole: &[usize],
    width: usize,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
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
