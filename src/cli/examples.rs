//! The examples in the help of every command.

pub(super) const TIDINGS: &str = "\
Examples:
  tidings init
  tidings check
  tidings run
  tidings alerts --since 7d";

pub(super) const INIT: &str = "\
Examples:
  tidings init
  tidings init watch --opml subscriptions.opml";

pub(super) const STATUS: &str = "\
Examples:
  tidings status
  tidings status --format json
  tidings status --store /var/lib/tidings/tidings.db";

pub(super) const HEALTH: &str = "\
Examples:
  tidings health
  tidings health --ready
  tidings health --address 127.0.0.1:9177";

pub(super) const RUN: &str = "\
Examples:
  tidings run
  tidings run --config /etc/tidings/config.yaml --log json
  tidings run --once";

pub(super) const CHECK: &str = "\
Examples:
  tidings check
  tidings check rules/korea.yaml
  tidings check --format json";

pub(super) const TRY: &str = "\
Examples:
  tidings try 'Russia AND arms' https://example.org/feed.xml
  tidings try 'title:arms' Yonhap --teaser
  tidings try '$dprk NEAR/5 arms' article.html";

pub(super) const EXPLAIN: &str = "\
Examples:
  tidings explain https://example.org/article
  tidings explain https://example.org/article --rule arms
  tidings explain story.txt --when 'arms AND Russia' --format json";

pub(super) const BACKTEST: &str = "\
Examples:
  tidings backtest --since 7d
  tidings backtest --when 'Russia AND arms'
  tidings backtest --against rules.new
  tidings backtest --stories stories.jsonl --format json";

pub(super) const INGEST: &str = "\
Examples:
  tidings ingest stories.jsonl
  tidings ingest --feed telegram messages.jsonl
  tidings ingest stories.jsonl --format json";

pub(super) const ALERTS: &str = "\
Examples:
  tidings alerts --since 7d
  tidings alerts --rule arms --words 'bridge freight'
  tidings alerts --held --since 1d
  tidings alerts --since 2026-11-01 --format csv > alerts.csv
  tidings alerts show 4711";

pub(super) const ALERTS_SHOW: &str = "\
Examples:
  tidings alerts show 4711
  tidings alerts show 4711 --format json";

pub(super) const ALERTS_EVENT: &str = "\
Examples:
  tidings alerts event 7d9b2a10-2222-4ccc-8ddd-000000000001
  tidings alerts event 7d9b2a10-2222-4ccc-8ddd-000000000001 --format json";

pub(super) const COVERAGE: &str = "\
Examples:
  tidings coverage
  tidings coverage arms --since 7d
  tidings coverage --since 2026-11-01 --format json";

pub(super) const RULES: &str = "\
Examples:
  tidings rules
  tidings rules arms 'Russia-North Korea arms'
  tidings rules --stale 90d --format json";

pub(super) const FEEDS: &str = "\
Examples:
  tidings feeds list
  tidings feeds find example.org
  tidings feeds poll Yonhap";

pub(super) const FEEDS_LIST: &str = "\
Examples:
  tidings feeds list
  tidings feeds list --format json";

pub(super) const FEEDS_POLL: &str = "\
Examples:
  tidings feeds poll Yonhap
  tidings feeds poll https://example.org/feed.xml
  tidings feeds poll wire.xml --format json";

pub(super) const FEEDS_POLL_NOW: &str = "\
Examples:
  tidings feeds poll-now
  tidings feeds poll-now Yonhap";

pub(super) const FEEDS_FIND: &str = "\
Examples:
  tidings feeds find example.org
  tidings feeds find https://example.org/news --format json";

pub(super) const FEEDS_IMPORT: &str = "\
Examples:
  tidings feeds import subscriptions.opml";

pub(super) const FEEDS_EXPORT: &str = "\
Examples:
  tidings feeds export > feeds.opml";

pub(super) const FEEDS_GAPS: &str = "\
Examples:
  tidings feeds gaps
  tidings feeds gaps --since 7d --format json";

pub(super) const DELIVERIES: &str = "\
Examples:
  tidings deliveries
  tidings deliveries --status dead --notifier desk
  tidings deliveries --format csv > deliveries.csv
  tidings deliveries retry 4711";

pub(super) const DELIVERIES_RETRY: &str = "\
Examples:
  tidings deliveries retry 4711 4712
  tidings deliveries retry --notifier desk
  tidings deliveries retry --all-dead";

pub(super) const DELIVERIES_DROP: &str = "\
Examples:
  tidings deliveries drop 4711 4712
  tidings deliveries drop --notifier desk
  tidings deliveries drop --all-dead";

pub(super) const SILENCE: &str = "\
Examples:
  tidings silence add --rule arms --until 3h
  tidings silence list
  tidings silence end 7";

pub(super) const SILENCE_ADD: &str = "\
Examples:
  tidings silence add --rule arms --until 3h
  tidings silence add --tag korea --until 'mon 08:00' --why 'the parade'
  tidings silence add --row 36 --until 2026-12-24";

pub(super) const SILENCE_LIST: &str = "\
Examples:
  tidings silence list
  tidings silence list --all --format json";

pub(super) const SILENCE_END: &str = "\
Examples:
  tidings silence end 7";

pub(super) const BACKUP: &str = "\
Examples:
  tidings backup tidings-2026-11-29.db
  tidings backup /var/backups/tidings.db --config /etc/tidings/config.yaml";

pub(super) const RESTORE: &str = "\
Examples:
  tidings restore tidings-2026-11-29.db";

pub(super) const STORE: &str = "\
Examples:
  tidings store copy sqlite:tidings.db postgres://tidings@db.example.org/tidings";

pub(super) const STORE_COPY: &str = "\
Examples:
  tidings store copy sqlite:tidings.db postgres://tidings@db.example.org/tidings
  PGPASSWORD=… tidings store copy postgres://tidings@db.example.org/tidings sqlite:tidings.db";

pub(super) const SCHEMA: &str = "\
Examples:
  tidings schema config > config.schema.json
  tidings schema rules > rules.schema.json";

pub(super) const NOTIFY: &str = "\
Examples:
  tidings notify desk";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use super::super::CommandLine;

    /// The words of a line, as a shell reads it before a redirection.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(" > ").next().unwrap_or_default();
        let quoted = line.split('\'').enumerate();
        let parts = quoted.flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.collect()
    }

    /// Every command with the names that lead to it.
    fn commands(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        let inner = command.get_subcommands();
        for inner in inner.filter(|inner| inner.get_name() != "help" && !inner.is_hide_set()) {
            commands(inner, &format!("{path} {}", inner.get_name()), found);
        }
    }

    #[test]
    fn the_help_of_every_command_has_examples_that_are_understood() {
        let mut found = Vec::new();
        commands(&CommandLine::command(), "tidings", &mut found);
        assert!(found.len() > 25, "the commands were not found");
        for (path, command) in found {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let (_, examples) =
                help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path} has no examples"));
            let examples = examples.lines().map_while(|line| line.strip_prefix("  "));
            let examples: Vec<&str> = examples.filter(|line| line.starts_with("tidings")).collect();
            assert!(!examples.is_empty(), "{path} has no examples");
            for example in examples {
                assert!(example.starts_with(&path), "{path}: {example}");
                if let Err(why) = CommandLine::try_parse_from(words(example)) {
                    panic!("{path}: {example}: {why}");
                }
            }
        }
    }
}
