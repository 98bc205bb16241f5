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

/// The rules and dedup keys of alerts, as rows with the columns `rule` and `dedup_key`.
macro_rules! alert_key_list {
    ($list:literal) => {
        concat!(
            "(SELECT value ->> 0 AS rule, value ->> 1 AS dedup_key FROM json_each(",
            $list,
            "))"
        )
    };
}

/// The values of signatures, as rows with the columns `place`, `band` and `value`.
macro_rules! band_list {
    ($list:literal) => {
        concat!(
            "(SELECT value ->> 0 AS place, value ->> 1 AS band, value ->> 2 AS value FROM json_each(",
            $list,
            "))"
        )
    };
}

/// How stories are found, as rows with the columns `place`, `story`, `feed`, `item` and `key`.
macro_rules! stored_by_list {
    ($list:literal) => {
        concat!(
            "(SELECT value ->> 0 AS place, value ->> 1 AS story, value ->> 2 AS feed, value ->> 3 AS item,
                     value ->> 4 AS key FROM json_each(",
            $list,
            "))"
        )
    };
}

pub(super) use {
    alert_key_list, band_list, id_list, message_alert_list, stored_by_list, text_list,
};
