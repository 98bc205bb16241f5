//! Checks the file of the store for damage.

use sqlx::sqlite::SqliteExecutor;

use super::{Store, StoreError};
use crate::store::db::DbPool;

/// The most faults that are reported.
const MOST_FAULTS: usize = 3;

/// The most bytes of a store that is checked in a moment.
const QUICK: i64 = 100 << 20;

impl Store {
    /// Whether the check takes long.
    pub async fn is_large(&self) -> Result<bool, StoreError> {
        let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let DbPool::Sqlite(file) = &self.readers else { return Ok(false) };
        let size: i64 = sqlx::query_scalar(size).fetch_one(file).await?;
        Ok(size > QUICK)
    }

    /// The damage that `SQLite` finds in the file, in its own words; `None` if there is none. Reads
    /// every page. A server looks after its own files.
    pub async fn find_damage(&self) -> Option<String> {
        let DbPool::Sqlite(file) = &self.readers else { return None };
        match find_faults(file).await {
            Ok(found) => found,
            Err(why) => Some(StoreError::from(why).into_why()),
        }
    }
}

/// The first faults that `SQLite` finds in a database, in its own words; `None` if there are none.
pub(super) async fn find_faults<'e>(
    database: impl SqliteExecutor<'e>,
) -> Result<Option<String>, sqlx::Error> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check").fetch_all(database).await?;
    if found == ["ok"] {
        return Ok(None);
    }
    let lines: Vec<&str> = found.iter().flat_map(|fault| fault.lines()).take(MOST_FAULTS).collect();
    Ok(Some(lines.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::super::fixture::{Bench, compare_here, item, settle_plan};
    use super::*;
    use crate::store::RunRole;

    #[tokio::test]
    async fn a_page_with_flipped_bytes_is_found() {
        let bench = Bench::of_file().await;
        for n in 0..50 {
            bench.poll("wire", n, vec![item(&format!("story {n}"), settle_plan(&["arms"]))]).await;
        }
        assert_eq!(bench.store.find_damage().await, None);
        assert!(!bench.store.is_large().await.unwrap());
        let root = bench
            .query_text("SELECT rootpage || '' FROM sqlite_master WHERE name = 'story'")
            .await
            .unwrap();
        let path = bench.path();
        let _folder = bench.stop_cleanly().await;
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[0xa5; 4000], (root.parse::<u64>().unwrap() - 1) * 4096 + 8).unwrap();
        let (store, _writer) = Store::open(&path, RunRole::Alone, compare_here()).await.unwrap();
        let damage = store.find_damage().await.unwrap();
        assert!(damage.contains("Tree") || damage.contains("malformed"), "{damage}");
    }
}
