//! The schema as a list of migrations, and whether a store has it.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::db::Sql;

/// The migrations, oldest first: version, name, SQL. One that was released is never edited,
/// because stores were made with it.
const MIGRATIONS: [(i64, &str, Sql); 1] = [(
    1,
    "first",
    Sql {
        sqlite: include_str!("migrations/0001_first.sql"),
        postgres: include_str!("migrations/postgres/0001_first.sql"),
    },
)];

/// The schema of a store, compared with the one that this build makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaAge {
    /// They are equal.
    Same,
    /// It lacks migrations. The number of its last one; 0 if it has none.
    Older(i64),
    /// It has later migrations.
    Newer {
        /// The number of its last migration.
        found: i64,
        /// The number of the last migration of this build.
        supported: i64,
    },
    /// It was made with other migrations of the same numbers.
    Other,
}

/// The migrations of this build, of a file.
pub(super) fn list_migrations() -> Migrator {
    let steps = MIGRATIONS.map(|(version, name, sql)| make_migration(version, name, sql.sqlite));
    Migrator::with_migrations(steps.to_vec())
}

/// The migrations of this build, of a database of a server. The caller locks out other nodes.
pub(super) fn list_migrations_of_server() -> Migrator {
    let steps = MIGRATIONS.map(|(version, name, sql)| make_migration(version, name, sql.postgres));
    let mut migrations = Migrator::with_migrations(steps.to_vec());
    migrations.set_locking(false);
    migrations
}

/// One migration.
pub(super) fn make_migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// Compares the schema of a store, which has a table of migrations, with `migrations`.
pub(super) async fn compare_schema(
    conn: &mut impl Migrate,
    migrations: &Migrator,
) -> Result<SchemaAge, MigrateError> {
    let applied = conn.list_applied_migrations(&migrations.table_name).await?;
    let is_other = applied.iter().any(|step| {
        migrations.iter().any(|own| own.version == step.version && own.checksum != step.checksum)
    });
    let found = applied.iter().map(|step| step.version).max().unwrap_or(0);
    let supported = migrations.iter().map(|step| step.version).max().unwrap_or(0);
    Ok(if is_other {
        SchemaAge::Other
    } else if found > supported {
        SchemaAge::Newer { found, supported }
    } else if found < supported {
        SchemaAge::Older(found)
    } else {
        SchemaAge::Same
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::super::fixture::Bench;
    use super::MIGRATIONS;

    /// The tables, columns and indexes of a schema that both databases have.
    fn names(schema: &str) -> BTreeSet<String> {
        let line = Regex::new(r"^CREATE (?:TABLE|INDEX) (\w+)|^    ([a-z]\w*) +[A-Z]").unwrap();
        let (mut names, mut table) = (BTreeSet::new(), String::new());
        for found in schema.lines().filter_map(|text| line.captures(text)) {
            match (found.get(1), found.get(2)) {
                (Some(name), _) => name.as_str().clone_into(&mut table),
                (_, column) => {
                    table = format!("{table}.{}", column.map_or("", |name| name.as_str()));
                }
            }
            names.insert(table.clone());
            table.truncate(table.find('.').unwrap_or(table.len()));
        }
        names.retain(|name| {
            !["alert_index", "host_loan", "latch", "run_lease", "share", "store_file"]
                .iter()
                .any(|own| name.starts_with(own))
        });
        names
    }

    #[test]
    fn both_databases_have_the_same_tables_columns_and_indexes() {
        let (mut sqlite, mut postgres) = (BTreeSet::new(), BTreeSet::new());
        for (_, _, sql) in MIGRATIONS {
            sqlite.append(&mut names(sql.sqlite));
            postgres.append(&mut names(sql.postgres));
        }
        assert!(sqlite.len() > 200, "only {sqlite:?} were found");
        assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), [""; 0]);
    }

    /// A table whose generated column another column follows cannot be recovered.
    #[tokio::test]
    async fn a_generated_column_is_the_last_of_its_table() {
        let bench = Bench::of_file().await;
        let followed = "SELECT group_concat(one.name || '.' || made.name)
             FROM sqlite_master AS one, pragma_table_xinfo(one.name) AS made
             JOIN pragma_table_xinfo(one.name) AS later ON later.cid > made.cid
             WHERE one.type = 'table' AND made.hidden IN (2, 3) AND later.hidden = 0";
        assert_eq!(bench.query_text(followed).await, None);
        let made = "SELECT count(*) || '' FROM sqlite_master AS one, pragma_table_xinfo(one.name)
             WHERE one.type = 'table' AND hidden IN (2, 3)";
        assert_eq!(bench.query_text(made).await.unwrap(), "2");
    }
}
