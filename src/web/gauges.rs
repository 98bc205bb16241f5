//! The metrics of this moment: what the store, the configuration and the system say.

use std::collections::BTreeMap;
use std::iter;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::parts::{ShownInForce, WebParts};
use crate::clock::{now, until};
use crate::config::Config;
use crate::shares::RunNumber;
use crate::store::{FeedState, QueueLength, ServiceStatus, StoreError, StoreNodes};

/// A gauge for each value of one label.
type Gauges = Family<[(&'static str, String); 1], Gauge>;

/// The metrics of this moment.
pub(super) async fn read(parts: &WebParts) -> Result<Registry, StoreError> {
    let status = parts.store.service_status().await?;
    let feeds = parts.store.feed_states().await?;
    let ShownInForce { config, rules, .. } = (parts.in_force)();
    let mut registry = Registry::default();
    let to = registry.sub_registry_with_prefix("tidings");
    let version = [("version", env!("CARGO_PKG_VERSION"))].to_vec();
    to.register("build", "The build that runs", Info::new(version));
    to.register("rules", "Rules in force", ConstGauge::new(whole(rules.count() as u64)));
    register_feeds(to, &config, &feeds, now());
    register_status(to, &config, &status, now());
    if let (Some(nodes), Some(run)) = (parts.store.nodes().await?, parts.store.leased_run()) {
        register_nodes(to, &nodes, run);
    }
    register_process(registry.sub_registry_with_prefix("process"));
    Ok(registry)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn register_feeds(to: &mut Registry, config: &Config, states: &[FeedState], now: Timestamp) {
    let known: BTreeMap<_, _> = states.iter().map(|state| (&state.name, state)).collect();
    let feeds = Gauges::default();
    for state in ["new", "well", "failing", "silent", "gone"] {
        drop(feeds.get_or_create(&[("state", state.to_owned())]));
    }
    for feed in &config.feeds {
        let state = FeedState::health_word(known.get(&feed.name).copied(), now);
        feeds.get_or_create(&[("state", state.to_owned())]).inc();
    }
    to.register("feeds", "Feeds of the configuration by health", feeds);
}

fn register_status(to: &mut Registry, config: &Config, status: &ServiceStatus, now: Timestamp) {
    let waiting = ConstGauge::new(whole(status.waiting_stories));
    to.register("stories_waiting", "Stories that wait for their page or to be matched", waiting);
    let (messages, overdue, up) = (Gauges::default(), Gauges::default(), Gauges::default());
    for queue in iter::once(&QueueLength::default()).chain(status.queues.values()) {
        for (state, count) in queue.by_status() {
            let state = [("state", state.as_str().to_owned())];
            messages.get_or_create(&state).inc_by(whole(count));
        }
    }
    for name in config.notifiers.keys() {
        let notifier = [("notifier", name.0.clone())];
        let queue = status.queues.get(name);
        let due =
            queue.and_then(|queue| queue.oldest_due).map_or(0, |due| until(now, due).as_secs());
        overdue.get_or_create(&notifier).set(whole(due));
        let is_away = status.away.keys().any(|receiver| receiver.notifier == *name);
        up.get_or_create(&notifier).set(i64::from(!is_away));
    }
    to.register("messages", "Messages that are not sent by state", messages);
    to.register(
        "oldest_due_message_seconds",
        "How long the oldest message of the notifier is overdue",
        overdue,
    );
    to.register("notifier_up", "Whether all receivers of the notifier took their last message", up);
}

/// What a store on a server says of its nodes. `run` is that of this node.
fn register_nodes(to: &mut Registry, nodes: &StoreNodes, run: RunNumber) {
    let own = nodes.running.iter().find(|node| node.run == run);
    let shares = own.map_or(0, |node| node.shares.into());
    for (name, help, value) in [
        ("nodes", "Nodes that share the work", nodes.running.len() as u64),
        ("node_shares", "Shares of the work that this node does, of 256", shares),
        (
            "store_oldest_snapshot_seconds",
            "Age of the oldest transaction that keeps dead rows from being removed",
            nodes.oldest_snapshot.as_secs(),
        ),
        (
            "store_waits_for_standby",
            "Whether a commit waits for a synchronous standby",
            nodes.waits_for_standby.into(),
        ),
    ] {
        to.register(name, help, ConstGauge::new(whole(value)));
    }
}

/// The metrics that Prometheus expects of every process.
#[cfg(target_os = "linux")]
fn register_process(to: &mut Registry) {
    use prometheus_client::metrics::counter::ConstCounter;

    let Ok((process, stat)) = procfs::process::Process::myself()
        .and_then(|process| process.stat().map(|stat| (process, stat)))
    else {
        return;
    };
    let ticks_a_second = procfs::ticks_per_second().max(1);
    let seconds = |ticks: u64| Duration::from_millis(ticks * 1000 / ticks_a_second).as_secs_f64();
    let cpu = seconds(stat.utime + stat.stime);
    to.register("cpu_seconds", "CPU time of the process", ConstCounter::new(cpu));
    let memory = whole(stat.rss * procfs::page_size());
    to.register("resident_memory_bytes", "Resident memory", ConstGauge::new(memory));
    to.register("virtual_memory_bytes", "Virtual memory", ConstGauge::new(whole(stat.vsize)));
    if let Ok(booted) = procfs::boot_time_secs() {
        let started = Duration::from_secs(booted).as_secs_f64() + seconds(stat.starttime);
        to.register("start_time_seconds", "Start in Unix time", ConstGauge::new(started));
    }
    if let Ok(open) = process.fd_count() {
        to.register("open_fds", "Open file descriptors", ConstGauge::new(whole(open as u64)));
    }
    if let Ok(limits) = process.limits()
        && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        to.register("max_fds", "Most open file descriptors", ConstGauge::new(whole(most)));
    }
}

#[cfg(not(target_os = "linux"))]
fn register_process(_to: &mut Registry) {}
