//! The style, the script and the icon of the pages, under names that change with their bytes.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// A file of the pages.
struct Asset {
    stem: &'static str,
    ending: &'static str,
    content_type: &'static str,
    bytes: &'static str,
}

const STYLE: Asset = Asset {
    stem: "desk",
    ending: "css",
    content_type: "text/css; charset=utf-8",
    bytes: include_str!("desk.css"),
};

const SCRIPT: Asset = Asset {
    stem: "desk",
    ending: "js",
    content_type: "text/javascript; charset=utf-8",
    bytes: include_str!("desk.js"),
};

const ICON: Asset = Asset {
    stem: "desk",
    ending: "svg",
    content_type: "image/svg+xml",
    bytes: include_str!("desk.svg"),
};

impl Asset {
    /// The name with the hash of the bytes.
    fn name(&self) -> String {
        let hash = hex::encode(&Sha256::digest(self.bytes)[..8]);
        format!("{}-{hash}.{}", self.stem, self.ending)
    }

    fn path(&self) -> String {
        format!("/assets/{}", self.name())
    }
}

/// The path of the style sheet.
pub(super) fn style_path() -> String {
    STYLE.path()
}

/// The path of the script.
pub(super) fn script_path() -> String {
    SCRIPT.path()
}

/// The path of the icon.
pub(super) fn icon_path() -> String {
    ICON.path()
}

/// `GET /assets/{name}`. A browser keeps the file for a year: other bytes have another name.
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = [STYLE, SCRIPT, ICON].into_iter().find(|asset| asset.name() == name);
    let asset = asset.ok_or_else(|| Problem::not_found("There is no such file."))?;
    let kept = "public, max-age=31536000, immutable";
    Ok(([(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, kept)], asset.bytes).into_response())
}
