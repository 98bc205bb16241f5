//! The forms of SQL in which databases differ: a list that a statement is given as one JSON text.
//! Every other statement is written for `SQLite` and `PostgreSQL` both. Each macro is a part of a
//! statement, from the placeholder of the list; `src/store/tests.rs` knows them by name.

/// The ids of a list, as rows with the column `value`.
macro_rules! id_list {
    ($list:literal) => {
        concat!("(SELECT value FROM json_each(", $list, "))")
    };
}

/// The texts of a list, as rows with the column `value`.
macro_rules! text_list {
    ($list:literal) => {
        concat!("(SELECT value FROM json_each(", $list, "))")
    };
}

/// The rows of a list, each an array: its values, by their places, as columns of these types. A
/// value has its type already in `SQLite`.
macro_rules! row_list {
    ($list:literal, 0 $first:ident $kind:ident $(, $place:literal $column:ident $kinds:ident)* $(,)?) => {
        concat!(
            "(SELECT value ->> 0 AS ", stringify!($first),
            $(", value ->> ", $place, " AS ", stringify!($column),)*
            " FROM json_each(", $list, "))"
        )
    };
}

pub(super) use {id_list, row_list, text_list};
