//! The forms of SQL in which databases differ: a list that a statement is given as one JSON text.
//! Every other statement is written for `SQLite` and `PostgreSQL` both.

/// The text of a statement for each database, of parts: texts, and lists with their placeholders.
///
/// - `id_list!("$1")`: the ids of a list, as rows with the column `value`.
/// - `text_list!("$1")`: the texts of a list, as rows with the column `value`.
/// - `either!("...", "...")`: a part for `SQLite`, and one for `PostgreSQL`. A few rows of a table
///   for each row of a list are joined by their ids in `SQLite`, and by LATERAL in `PostgreSQL`.
/// - `row_list!("$1", 0 id BIGINT, 1 name TEXT)`: the rows of a list, each an array. Its values, by
///   their places, are columns of these types. A value has its type already in `SQLite`.
///
/// `src/store/tests.rs` knows them by name.
macro_rules! sql {
    (@join [$($sqlite:tt)*] [$($postgres:tt)*]) => {
        crate::store::db::Sql {
            sqlite: concat!($($sqlite)*),
            postgres: concat!($($postgres)*),
        }
    };
    (@join [$($sqlite:tt)*] [$($postgres:tt)*] id_list!($list:literal) $(, $($rest:tt)*)?) => {
        crate::store::dialect::sql!(@join
            [$($sqlite)* "(SELECT value FROM json_each(", $list, "))",]
            [$($postgres)* "(SELECT CAST(value AS BIGINT) AS value FROM jsonb_array_elements_text(CAST(", $list,
                " AS JSONB)) AS listed (value))",]
            $($($rest)*)?)
    };
    (@join [$($sqlite:tt)*] [$($postgres:tt)*] text_list!($list:literal) $(, $($rest:tt)*)?) => {
        crate::store::dialect::sql!(@join
            [$($sqlite)* "(SELECT value FROM json_each(", $list, "))",]
            [$($postgres)* "(SELECT value FROM jsonb_array_elements_text(CAST(", $list,
                " AS JSONB)) AS listed (value))",]
            $($($rest)*)?)
    };
    (@join [$($sqlite:tt)*] [$($postgres:tt)*]
        row_list!($list:literal, $first:literal $column:ident $kind:ident
            $(, $place:literal $columns:ident $kinds:ident)* $(,)?)
        $(, $($rest:tt)*)?
    ) => {
        crate::store::dialect::sql!(@join
            [$($sqlite)* "(SELECT value ->> ", $first, " AS ", stringify!($column),
                $(", value ->> ", $place, " AS ", stringify!($columns),)*
                " FROM json_each(", $list, "))",]
            [$($postgres)* "(SELECT CAST(value ->> ", $first, " AS ", stringify!($kind), ") AS ", stringify!($column),
                $(", CAST(value ->> ", $place, " AS ", stringify!($kinds), ") AS ", stringify!($columns),)*
                " FROM jsonb_array_elements(CAST(", $list, " AS JSONB)) AS listed (value))",]
            $($($rest)*)?)
    };
    (@join [$($sqlite:tt)*] [$($postgres:tt)*] either!($first:literal, $second:literal $(,)?)
        $(, $($rest:tt)*)?
    ) => {
        crate::store::dialect::sql!(@join
            [$($sqlite)* $first,] [$($postgres)* $second,] $($($rest)*)?)
    };
    (@join [$($sqlite:tt)*] [$($postgres:tt)*] $text:literal $(, $($rest:tt)*)?) => {
        crate::store::dialect::sql!(@join [$($sqlite)* $text,] [$($postgres)* $text,] $($($rest)*)?)
    };
    ($($parts:tt)+) => { crate::store::dialect::sql!(@join [] [] $($parts)+) };
}

pub(super) use sql;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    /// INTEGER or BIGINT.
    Number,
    /// An INTEGER that is 0 or 1, or BOOLEAN.
    Truth,
    /// TEXT.
    Text,
    /// BLOB or BYTEA. In JSON they are text in base 16.
    Bytes,
}

/// A query of the rows of a list, each an array of values of these types: the text before the list,
/// and the text after it.
pub(super) fn select_rows(
    types: impl IntoIterator<Item = ColumnType>,
    is_server: bool,
) -> (String, &'static str) {
    let values = types.into_iter().enumerate().map(|(place, kind)| match (kind, is_server) {
        (ColumnType::Number, true) => format!("CAST(value ->> {place} AS BIGINT)"),
        (ColumnType::Truth, true) => format!("CAST(value ->> {place} AS BOOLEAN)"),
        (ColumnType::Bytes, true) => format!("decode(value ->> {place}, 'hex')"),
        (ColumnType::Bytes, false) => format!("unhex(value ->> {place})"),
        _ => format!("value ->> {place}"),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let (list, end) =
        if is_server { ("json_array_elements(CAST(", " AS JSON))") } else { ("json_each(", ")") };
    (format!("SELECT {values} FROM {list}"), end)
}
