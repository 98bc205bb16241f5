//! `each`: a rule that is repeated for every row of a watchlist.

use std::sync::Arc;

use rayon::prelude::*;

use crate::Rule;
use crate::fault::{Fault, nearest};
use crate::language::lists::Lists;
use crate::language::row;
use crate::language::term_list::{ListRow, TermList};
use crate::language::tree::Tree;
use crate::yaml::Text;

/// The list that an `each` names. `sound` means that no list has a fault.
pub(super) fn find_list(
    name: &Text,
    lists: &Lists,
    sound: bool,
    faults: &mut Vec<Fault>,
) -> Option<Arc<TermList>> {
    let whole = 0..name.value.len();
    let found = lists.by_name.get(name.value.trim());
    if found.is_some_and(|list| !list.rows.is_empty()) {
        return found.cloned();
    }
    if !sound || (found.is_none() && lists.partial) {
        return None;
    }
    let written = name.value.trim();
    if found.is_some() {
        let fault = name.fault(whole, format!("the list `{written}` has no rows"));
        faults.push(fault.help(
            "`each` needs a list that comes from a table: {from: names.csv, term: name, id: id}",
        ));
        return None;
    }
    let fault = name.fault(whole, format!("there is no term list `{written}`"));
    faults.push(match nearest(written, lists.by_name.keys().map(String::as_str)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("term lists stand under `terms` in any rule file"),
    });
    None
}

/// Refuses an `each` rule if a row could match because of another row, or without any row.
pub(super) fn check_each(each: &Text, tree: &Tree, list: &TermList, faults: &mut Vec<Fault>) {
    let name = &list.name;
    let (message, help) = if !tree.lists().iter().any(|named| named.name == *name) {
        (
            format!("`when` does not look for ${name}"),
            format!("write ${name} in the place of a row's names"),
        )
    } else if row::is_counted(tree, name) {
        let help = format!("write ${name} AND ANY/…(…), or leave `each` out");
        (
            format!(
                "ANY counts the terms of ${name} here, and rows have different numbers of terms"
            ),
            help,
        )
    } else if row::may_be_without(tree, name, true) {
        let help = format!("say that it must be there: ${name} AND …, ${name} NEAR/30 …");
        (format!("this may match if no term of ${name} is found: then every row would alert"), help)
    } else {
        return;
    };
    faults.push(each.fault(0..each.value.len(), message).help(help));
}

/// `rule` with the expression `tree`: as it is, or once for every row of its `each` list.
pub(super) fn expand_rows(
    rule: Rule,
    tree: Arc<Tree>,
    each: Option<&TermList>,
) -> Vec<(Arc<Rule>, Arc<Tree>)> {
    let Some(list) = each else { return vec![(Arc::new(rule), tree)] };
    let of_row = |row: &Arc<ListRow>| {
        let tree = Arc::new(row::tree_of(&tree, &row.list));
        (Arc::new(rule.clone().with_row(Arc::clone(row))), tree)
    };
    list.rows.par_iter().map(of_row).collect()
}
