//! `tidings alerts event`: what happened to one event, in order of time.

use jiff::tz::TimeZone;

use crate::cli::clauses::TextLayout;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::output;
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::queries::moment::exact_time;
use crate::queries::timeline::{Happening, TimelineEntry, event_json, timeline};
use crate::store::{Archive, EventRecord};
use tidings_rules::text::visible_line;

/// Prints the event with this id: 65 if there is none.
pub(super) fn show_event(id: &str, format: OutputFormat, config: &Config) -> Result<Exit, Exit> {
    let found = block_on(async {
        let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
        archive.event_record(id).await.map_err(output::unavailable)
    })?;
    let Some(record) = found else {
        let why = format!("there is no event `{}`, or it is no longer kept", visible_line(id));
        let help = "`tidings alerts show` names the event of an alert";
        return Err(output::fail_with_help(why, help, Exit::Data));
    };
    match format {
        OutputFormat::Json => output::print_json([event_json(&record)])?,
        OutputFormat::Text => {
            output::print(&format_event(&record, &config.zone, TextLayout::for_stdout()))?;
        }
    }
    Ok(Exit::Ok)
}

fn format_event(record: &EventRecord, zone: &TimeZone, layout: TextLayout) -> String {
    let title = record.stories.first().map_or("", |story| story.story.headline());
    let mut lines = vec![layout.wrap(visible_line(title).trim(), "", 2)];
    lines.push(layout.fact("event", &record.event));
    let stories = count(record.stories.len(), "story", "stories");
    let alerts = count(record.alerts.len(), "alert", "alerts");
    let messages = count(record.messages.len(), "message", "messages");
    lines.push(layout.fact("has", &format!("{stories}, {alerts}, {messages}")));
    lines.push(String::new());
    let entries = timeline(record);
    let line = |entry: &TimelineEntry<'_>| {
        let head = exact_time(entry.at, zone);
        layout.wrap(&format!("{head}  {}", describe(&entry.happening)), "", 4)
    };
    lines.extend(entries.iter().map(line));
    lines.join("\n") + "\n"
}

fn describe(happening: &Happening<'_>) -> String {
    match happening {
        Happening::Seen { feed, title, .. } => {
            format!("{} has the story: {}", visible_line(feed), visible_line(title))
        }
        Happening::Revision { revision, title_changed, text_changed, previous_title, .. } => {
            let what = match (title_changed, text_changed) {
                (true, true) => "headline and text changed",
                (true, false) => "the headline changed",
                (false, _) => "the text changed",
            };
            let before = if *title_changed {
                format!("; the headline was: {}", visible_line(previous_title))
            } else {
                String::new()
            };
            format!("revision {revision}: {what}{before}")
        }
        Happening::Alert { id, rule, severity, standing, .. } => {
            let standing = standing.as_ref().map_or_else(String::new, |one| format!("; {one}"));
            format!("alert {id}, {severity}: the rule {} matched{standing}", visible_line(rule))
        }
        Happening::Told { id, rule } => {
            format!("alert {id} is no longer held: the condition of {} was met", visible_line(rule))
        }
        Happening::Message { id, receiver, status } => {
            format!("message {id} for {} written; now {status}", visible_line(receiver))
        }
        Happening::Attempt { receiver, outcome, reply } => {
            let reply =
                reply.map_or_else(String::new, |reply| format!(", {}", visible_line(reply)));
            let outcome = outcome.unwrap_or("under way");
            format!("attempt for {}: {outcome}{reply}", visible_line(receiver))
        }
    }
}
