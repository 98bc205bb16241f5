//! Reads the text of a table to records (RFC 4180), each with its row and place.

use std::ops::Range;
use std::sync::Arc;

use super::quotes;
use crate::fault::{Fault, Source};

/// A table. Its first row names the columns.
pub(super) struct TableRecords {
    pub(super) header: TableRecord,
    pub(super) rows: Vec<TableRecord>,
}

/// One row.
pub(super) struct TableRecord {
    /// Its number, as in a spreadsheet without empty rows. The row with the names of the columns is
    /// 1.
    pub(super) row: usize,
    /// Its first line.
    pub(super) span: Range<usize>,
    pub(super) cells: Vec<String>,
}

/// The records of `source`. `None` if it is damaged, because the borders of its rows are then
/// unknown.
pub(super) fn read_records(source: &Arc<Source>, faults: &mut Vec<Fault>) -> Option<TableRecords> {
    let text = source.text.as_str();
    let before = faults.len();
    if let Some(at) = text.find('\0') {
        let fault = Fault::error(
            source,
            at..at,
            "a NUL byte: this is not text, or is UTF-16 without a byte order mark",
        );
        faults.push(fault.help("save the file as UTF-8"));
    } else if let Some(damage) = quotes::damage(text) {
        faults
            .push(Fault::error(source, line_at(text, damage.at), damage.message).help(damage.help));
    }
    if faults.len() > before {
        return None;
    }
    let mut rows = records(text);
    if rows.is_empty() {
        faults.push(
            Fault::error(source, 0..0, "this table is empty")
                .help("its first row names its columns"),
        );
        return None;
    }
    let header = rows.remove(0);
    Some(TableRecords { header, rows })
}

fn records(text: &str) -> Vec<TableRecord> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    // Text in memory can always be read, and is UTF-8.
    let read = reader.records().map_while(Result::ok).enumerate().map(|(number, record)| {
        let at = record
            .position()
            .map_or(0, |position| usize::try_from(position.byte()).unwrap_or_default());
        let start =
            at + text[at..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let cells = record.iter().map(str::to_owned).collect();
        TableRecord { row: number + 1, span: line_at(text, start), cells }
    });
    read.collect()
}

/// The first line from `start` on.
pub(super) fn line_at(text: &str, start: usize) -> Range<usize> {
    let end = text[start..].find(['\n', '\r']).map_or(text.len(), |at| start + at);
    start..end
}
