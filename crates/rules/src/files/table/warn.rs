//! Warns of rows of a table whose names are common words.

use std::fmt::Write;
use std::sync::Arc;

use crate::fault::Fault;
use crate::language::term_list::ListRow;
use crate::lint;
use crate::yaml::Text;

/// The most rows that a warning names. The others are counted.
const MOST_ROWS: usize = 10;

/// Warns, at `from`, of the rows of the list `name` with a term that is a common word or a single
/// letter.
pub(in crate::files) fn warn_of_common_names(
    name: &str,
    from: &Text,
    rows: &[Arc<ListRow>],
    faults: &mut Vec<Fault>,
) {
    let common = rows.iter().filter_map(|row| {
        let (term, what) =
            row.list.terms.iter().find_map(|term| Some((term, lint::why_everywhere(term)?)))?;
        let label = super::shown(&row.head.to_string());
        let of = if term.text == row.head.label {
            String::new()
        } else {
            format!("`{}` of ", term.text)
        };
        Some(format!("{of}{label} is {what}"))
    });
    let common: Vec<String> = common.collect();
    if common.is_empty() {
        return;
    }
    let mut message = format!(
        "rows of `${name}` are found nearly everywhere: {}",
        common[..common.len().min(MOST_ROWS)].join(", ")
    );
    if common.len() > MOST_ROWS {
        write!(message, ", and {} more", common.len() - MOST_ROWS).expect("strings grow");
    }
    let help = format!(
        "say what must be there, too: `${name} NEAR/30 …`, or take such a name out of the table"
    );
    faults.push(from.warning(0..from.value.len(), message).help(help));
}
