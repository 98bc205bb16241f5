//! Tests of the whole, with the real binary and real servers on loopback.
#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; `pub` says what other test modules use"
)]

mod access;
mod articles;
mod backtest;
mod backup;
mod bad_input;
mod browser;
mod busy;
mod check;
mod cluster;
mod commands;
mod conditions;
mod copies;
mod desk;
mod documents;
mod email;
mod email_kept;
mod email_phases;
mod email_tls;
mod explain;
mod feeds;
mod files;
mod first_run;
mod full_disk;
mod generated;
mod guard;
mod guide;
mod harness;
mod history;
mod hostile;
mod hosts;
mod house;
mod ingest;
mod init;
mod kill;
mod logs;
mod many_stories;
mod node_rules;
mod nodes;
mod outage;
mod payload;
mod polite_polling;
mod reload;
mod server_store;
mod service;
mod store_files;
mod support;
mod terminal;
mod volume;
mod watchlist;
mod webhook;
mod webhook_wire;
mod whole_way;
