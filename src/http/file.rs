//! Reads feeds from files, only if they changed.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::time::UNIX_EPOCH;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use url::Url;

use super::{FetchError, Freshness, HttpAnswer, MOST_BYTES, RedirectKind, Validators};

/// Reads the file that a `file:` address names. The body is `None` if the file's modification time
/// and length are those of `known`.
///
/// It is only for addresses of the configuration: the guard refuses `file:`.
///
/// # Errors
/// If there is no such file, it is not a regular file, it cannot be read, or it is larger than
/// [`MOST_BYTES`].
pub async fn read_file(url: &Url, known: &Validators) -> Result<HttpAnswer, FetchError> {
    let path = url
        .to_file_path()
        .map_err(|()| FetchError::Unreachable("this is not the address of a file".to_owned()))?;
    // Checked before opening, because opening a pipe waits for its writer.
    let metadata = tokio::fs::metadata(&path).await.map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(FetchError::Unreachable("this is not a regular file".to_owned()));
    }
    let validators = Validators { etag: Some(mark(&metadata)), last_modified: None };
    let body = if validators == *known {
        None
    } else {
        Some(read_opened(File::open(&path).await).await?.into())
    };
    let freshness = Freshness::default();
    Ok(HttpAnswer {
        body,
        content_type: None,
        links: None,
        refresh: None,
        validators,
        freshness,
        url: url.clone(),
        redirects: RedirectKind::Straight,
    })
}

async fn read_opened(file: Result<File, std::io::Error>) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    let file = file.map_err(|error| unreadable(&error))?;
    file.take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut body)
        .await
        .map_err(|error| unreadable(&error))?;
    if body.len() > MOST_BYTES { Err(FetchError::TooLarge { limit: MOST_BYTES }) } else { Ok(body) }
}

/// The file's modification time and length, used as an `ETag`.
fn mark(metadata: &Metadata) -> String {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}-{}", changed.unwrap_or_default().as_nanos(), metadata.len())
}

fn unreadable(error: &std::io::Error) -> FetchError {
    FetchError::Unreachable(match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "the file may not be read by this user".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path: &std::path::Path) -> Url {
        Url::from_file_path(path).unwrap()
    }

    #[tokio::test]
    async fn a_file_is_read_once_and_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wire.xml");
        std::fs::write(&path, "<rss/>").unwrap();
        let first = read_file(&address(&path), &Validators::default()).await.unwrap();
        assert_eq!(first.body.as_deref(), Some(b"<rss/>".as_slice()));
        let second = read_file(&address(&path), &first.validators).await.unwrap();
        assert!(second.body.is_none());
        assert_eq!(second.validators, first.validators);
        std::fs::write(&path, "<rss />").unwrap();
        let third = read_file(&address(&path), &second.validators).await.unwrap();
        assert_eq!(third.body.as_deref(), Some(b"<rss />".as_slice()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let missing =
            read_file(&address(&folder.path().join("none")), &Validators::default()).await;
        assert_eq!(missing.unwrap_err().to_string(), "there is no such file");
        let directory = read_file(&address(folder.path()), &Validators::default()).await;
        assert_eq!(directory.unwrap_err().to_string(), "this is not a regular file");
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len(MOST_BYTES as u64 + 1).unwrap();
        let large = read_file(&address(&large), &Validators::default()).await;
        assert_eq!(large.unwrap_err(), FetchError::TooLarge { limit: MOST_BYTES });
    }
}
