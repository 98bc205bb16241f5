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

/// The pairs of ids of a list, as rows with the columns `message` and `alert`.
macro_rules! message_alert_list {
    ($list:literal) => {
        concat!("(SELECT value ->> 0 AS message, value ->> 1 AS alert FROM json_each(", $list, "))")
    };
}

pub(super) use {id_list, message_alert_list, text_list};
