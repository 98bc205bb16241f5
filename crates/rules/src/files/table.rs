//! Reads a term list from a table (`from: sdn.csv`): its keys in the rule file, and its rows.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::faults::shown_place;
use crate::explain::excerpt;
use crate::fault::{Fault, Source};
use crate::language::term::Term;
use crate::language::term_list::ListRow;
use crate::text::one_line;
use crate::yaml::{Entries, Text};
use crate::{Table, story};
use records::{TableRecord, TableRecords};

mod quotes;
mod records;
pub(super) mod warn;

/// The longest cell that can be a term, in characters. No name is longer.
const LONGEST: usize = 500;

/// The most faults of one table that are reported. The others are counted.
const MOST_FAULTS: usize = 20;

/// The table and columns of a list.
pub(super) struct WantedColumns {
    /// The table's path as written in the rule file.
    pub(super) from: Text,
    /// The column of the terms. They are also the labels of the rows.
    term: Text,
    /// The column of other names.
    aliases: Option<Text>,
    /// The sign that separates other names in one cell.
    split: Option<String>,
    /// The column of the ids. Without it, the term is the id.
    id: Option<Text>,
}

/// The indices of a table's columns.
struct Columns<'w> {
    term: (usize, &'w str),
    aliases: Option<(usize, &'w str)>,
    split: Option<&'w str>,
    id: (usize, &'w str),
}

/// The faults of a table's rows so far.
struct TableFaults<'f> {
    source: &'f Arc<Source>,
    count: usize,
    faults: &'f mut Vec<Fault>,
}

impl WantedColumns {
    /// Reads the keys beside `from`.
    pub(super) fn read_table(
        from: Text,
        entries: &mut Entries<'_>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let term = entries.require("term", faults).and_then(|node| node.text(faults));
        let mut text = |key| entries.get(key).and_then(|node| node.text(faults));
        let (aliases, split, id) = (text("aliases"), text("split"), text("id"));
        let split = match (split, &aliases) {
            (Some(split), None) => {
                faults.push(
                    split.fault(0..split.value.len(), "there are no `aliases` to split here"),
                );
                None
            }
            (Some(split), _) if split.value.is_empty() => {
                faults.push(
                    split
                        .fault(0..0, "this splits nothing")
                        .help("write the sign between two names: \";\""),
                );
                None
            }
            (split, _) => split.map(|split| split.value),
        };
        Some(Self { from, term: term?, aliases, split, id })
    }

    /// The rows of the list `name`. If its table among `tables` has an error, adds faults and
    /// returns none.
    pub(super) fn rows(
        &self,
        name: &str,
        tables: &[Table],
        faults: &mut Vec<Fault>,
    ) -> Vec<Arc<ListRow>> {
        let path = path(&self.from.source().name, &self.from.value);
        let Some(table) = tables.iter().find(|table| table.source.name == path) else {
            let fault = self.from.fault(
                0..self.from.value.len(),
                format!("there is no table {path} that can be used"),
            );
            faults.push(fault.help("the path is relative to the folder of this file"));
            return Vec::new();
        };
        let source = &table.source;
        if let Some(why) = &table.unreadable {
            let message = format!(
                "the table of `${name}` ({}) cannot be read: {why}",
                shown_place(&self.from)
            );
            faults.push(
                Fault::error(source, 0..0, message)
                    .help("put the file there, or correct its path in `from`"),
            );
            return Vec::new();
        }
        let Some(records) = records::read_records(source, faults) else { return Vec::new() };
        let Some(columns) = self.columns(&records, source, faults) else { return Vec::new() };
        let mut table_faults = TableFaults { source, count: 0, faults };
        let rows = rows(name, &records, &columns, &mut table_faults);
        table_faults.finish();
        rows
    }

    /// Finds the columns. A missing column is a fault of the table, not of the rule file.
    fn columns(
        &self,
        table: &TableRecords,
        source: &Arc<Source>,
        faults: &mut Vec<Fault>,
    ) -> Option<Columns<'_>> {
        let mut find = |key: &str, wanted: &Text| {
            let column = name(wanted);
            let mut places =
                table.header.cells.iter().enumerate().filter(|(_, there)| there.trim() == column);
            let why = match (places.next(), places.next()) {
                (Some((place, _)), None) => return Some(place),
                (None, _) => format!(
                    "row 1 has no column `{column}`, which `{key}` asks for ({})",
                    shown_place(wanted)
                ),
                _ => format!(
                    "row 1 has several columns `{column}`, which `{key}` asks for ({})",
                    shown_place(wanted)
                ),
            };
            faults.push(
                Fault::error(source, table.header.span.clone(), why)
                    .help(columns_there(&table.header.cells)),
            );
            None
        };
        let term = find("term", &self.term);
        let aliases = self.aliases.as_ref().map(|text| find("aliases", text));
        let id = self.id.as_ref().map_or(term, |text| find("id", text));
        Some(Columns {
            term: (term?, name(&self.term)),
            aliases: aliases
                .map_or(Some(None), |place| place.map(Some))?
                .zip(self.aliases.as_ref().map(name)),
            split: self.split.as_deref(),
            id: (id?, name(self.id.as_ref().unwrap_or(&self.term))),
        })
    }
}

impl TableFaults<'_> {
    fn add(&mut self, record: &TableRecord, message: &str, help: Option<&str>) {
        self.count += 1;
        if self.count <= MOST_FAULTS {
            let fault = Fault::error(
                self.source,
                record.span.clone(),
                format!("row {}: {message}", record.row),
            );
            self.faults.push(Fault { help: help.map(str::to_owned), ..fault });
        }
    }

    /// Reports the number of faults that are not shown.
    fn finish(self) {
        if self.count > MOST_FAULTS {
            let end = self.source.text.len();
            let message = format!(
                "{} more faults in the rows of this table are not shown",
                self.count - MOST_FAULTS
            );
            self.faults.push(Fault::error(self.source, end..end, message));
        }
    }
}

/// The path of the table that a rule file names `from`. It starts in the folder of the rule file.
/// `.` and `..` are resolved.
pub(super) fn path(file: &str, from: &str) -> String {
    let folder = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(from.trim()).components() {
        let is_below = matches!(path.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::ParentDir if is_below => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path.display().to_string()
}

fn columns_there(header: &[String]) -> String {
    if let [only] = header
        && let Some(sign) = [';', '\t', '|'].into_iter().find(|sign| only.contains(*sign))
    {
        return format!(
            "its cells seem to be separated by {sign:?}: save it with commas between them (RFC 4180)"
        );
    }
    let names: Vec<String> =
        header.iter().take(20).map(|name| format!("`{}`", name.trim())).collect();
    format!(
        "its columns are {}{}",
        names.join(", "),
        if header.len() > names.len() { ", …" } else { "" }
    )
}

fn rows(
    name: &str,
    table: &TableRecords,
    columns: &Columns<'_>,
    faults: &mut TableFaults<'_>,
) -> Vec<Arc<ListRow>> {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut rows = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        if record.cells.len() != table.header.cells.len() {
            let (cells, columns) = (record.cells.len(), table.header.cells.len());
            let help = "a cell with a comma in it stands in double quotes";
            faults.add(record, &format!("{cells} cells under {columns} columns"), Some(help));
            continue;
        }
        let id = id(record, columns, &mut ids, faults);
        let terms = terms(record, columns, faults);
        if let (Some(id), Some((label, terms))) = (id, terms) {
            rows.push(Arc::new(ListRow::new(name, story::WatchlistRow { id, label }, terms)));
        }
    }
    if table.rows.is_empty() {
        faults.add(&table.header, "there are only names of columns here, and no rows", None);
    }
    rows
}

fn id(
    record: &TableRecord,
    columns: &Columns<'_>,
    ids: &mut HashMap<String, usize>,
    faults: &mut TableFaults<'_>,
) -> Option<String> {
    let (place, column) = columns.id;
    let id = cell(record, place);
    if id.is_empty() {
        // If the term is the id, a missing term is reported instead.
        if place != columns.term.0 {
            faults.add(
                record,
                &format!("no id: `{column}` is empty"),
                Some("alerts and silences know a row by its id"),
            );
        }
        return None;
    }
    if id.chars().nth(LONGEST).is_some() {
        faults.add(
            record,
            &format!("an id of {} bytes in `{column}`; is another column meant?", id.len()),
            None,
        );
        return None;
    }
    if let Some(first) = ids.get(&id) {
        let help = if place == columns.term.0 {
            "name a column of ids: `id: …`"
        } else {
            "give one of the two another id"
        };
        faults.add(
            record,
            &format!("the id `{}` is in row {first} already", shown(&id)),
            Some(help),
        );
        return None;
    }
    ids.insert(id.clone(), record.row);
    Some(id)
}

/// The label of a row, and its terms, at least one.
fn terms(
    record: &TableRecord,
    columns: &Columns<'_>,
    faults: &mut TableFaults<'_>,
) -> Option<(String, Vec<Arc<Term>>)> {
    let (place, column) = columns.term;
    let label = cell(record, place);
    if label.is_empty() {
        faults.add(record, &format!("no term: `{column}` is empty"), None);
        return None;
    }
    let first = term(&label, &label, column, record, faults)?;
    let mut seen = HashSet::from([first.text.clone()]);
    let mut terms = vec![Arc::new(first)];
    if let Some((place, column)) = columns.aliases {
        let aliases = &record.cells[place];
        let aliases: Vec<&str> =
            columns.split.map_or_else(|| vec![&**aliases], |sign| aliases.split(sign).collect());
        for alias in aliases.into_iter().map(str::trim).filter(|alias| !alias.is_empty()) {
            let alias = term(alias, &label, column, record, faults)?;
            if seen.insert(alias.text.clone()) {
                terms.push(Arc::new(alias));
            }
        }
    }
    Some((label, terms))
}

fn term(
    text: &str,
    label: &str,
    column: &str,
    record: &TableRecord,
    faults: &mut TableFaults<'_>,
) -> Option<Term> {
    if text.chars().nth(LONGEST).is_some() {
        let help = format!(
            "a term has at most {LONGEST} characters; is a quotation mark left open, or another column meant?"
        );
        faults.add(record, &format!("`{column}` holds {} bytes", text.len()), Some(&help));
        return None;
    }
    let term = Term::cell(text, label);
    if term.is_none() {
        faults.add(record, &format!("no word to look for in `{}` (`{column}`)", shown(text)), None);
    }
    term
}

/// The name of the column in the rule file.
fn name(text: &Text) -> &str {
    text.value.trim()
}

/// The text of a cell, on one line.
fn cell(record: &TableRecord, place: usize) -> String {
    one_line(&record.cells[place])
}

fn shown(text: &str) -> String {
    excerpt::head(text, 60)
}

#[cfg(test)]
mod tests;
