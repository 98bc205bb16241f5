//! Lists as CSV for spreadsheets. No cell is a formula.

use csv::WriterBuilder;

use crate::cli::exit::Exit;
use crate::cli::output;

/// The signs that begin a formula in some spreadsheet. A sheet in a wide script takes wide signs.
const FORMULA_SIGNS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Prints a line of `heads`, and a line for each of `rows`.
pub(super) fn print_csv<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Exit> {
    output::print(&csv_text(heads, rows))
}

fn csv_text<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = WriterBuilder::new().from_writer(Vec::new());
    table.write_record(heads).expect("a vector grows");
    for row in rows {
        table.write_record(row.map(defuse)).expect("a vector grows, and all rows are as long");
    }
    let bytes = table.into_inner().expect("a vector grows");
    String::from_utf8(bytes).expect("texts were written")
}

/// The cell, behind an apostrophe if it would be a formula.
fn defuse(cell: String) -> String {
    if cell.starts_with(FORMULA_SIGNS) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_a_text_and_the_rest_stays() {
        let signs = ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠A1"];
        for cell in signs {
            assert_eq!(defuse(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "1-1", "a=b", "'", "2026-11-24T09:31:00Z", " =1"] {
            assert_eq!(defuse(cell.to_owned()), cell);
        }
    }

    #[test]
    fn commas_quotes_and_lines_stay_in_their_cell() {
        let rows = [["a, \"b\"\nc".to_owned(), "=cmd|' /C calc'!A0".to_owned()]];
        let text = csv_text(["one", "two"], rows.clone());
        assert_eq!(text, "one,two\n\"a, \"\"b\"\"\nc\",'=cmd|' /C calc'!A0\n");
        let mut read = csv::Reader::from_reader(text.as_bytes());
        let row = read.records().next().unwrap().unwrap();
        assert_eq!((&row[0], &row[1][1..]), (rows[0][0].as_str(), rows[0][1].as_str()));
        assert_eq!(csv_text(["one"], []), "one\n");
    }
}
