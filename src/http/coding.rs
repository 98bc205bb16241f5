//! Undoes the content codings of a body: gzip, deflate and brotli.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::headers::header_text;

/// The codings that a request accepts.
pub(super) const ACCEPTED: &str = "gzip, br, deflate";

/// The most codings of one body that are undone.
pub(super) const MOST_CODINGS: usize = 4;

/// A coding that a header names, besides gzip, which is known by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentCoding {
    Deflate,
    Brotli,
}

/// The codings in `Content-Encoding`, the last one first. Gzip and names of no coding are left out.
pub(super) fn codings(head: &HeaderMap) -> Vec<ContentCoding> {
    let values: Vec<String> = head.get_all(CONTENT_ENCODING).iter().map(header_text).collect();
    let names = values.iter().flat_map(|value| value.split(','));
    let mut codings: Vec<ContentCoding> = names
        .filter_map(|name| match name.trim().to_ascii_lowercase().as_str() {
            "deflate" | "x-deflate" | "zlib" => Some(ContentCoding::Deflate),
            "br" => Some(ContentCoding::Brotli),
            _ => None,
        })
        .collect();
    codings.reverse();
    codings
}

/// Whether a header says that `bytes` are gzip, and they are not.
pub(super) fn lacks_gzip(head: &HeaderMap, bytes: &[u8]) -> bool {
    let values: Vec<String> = head.get_all(CONTENT_ENCODING).iter().map(header_text).collect();
    let is_only_gzip = !values.is_empty()
        && values
            .iter()
            .all(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip"));
    is_only_gzip && !bytes.is_empty() && !is_gzip(bytes)
}

/// Whether bytes begin as gzip does (RFC 1952, section 2.3.1).
fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// Whether bytes begin as a document does, so that nothing is packed.
fn is_document(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    bytes.starts_with(b"<") || bytes.starts_with(b"{")
}

/// A reader of what one coding packed.
pub(super) enum Unpacker<'b> {
    /// The members of gzip, one after the other. `None` after the last.
    Gzip(Option<GzDecoder<&'b [u8]>>),
    Zlib(ZlibDecoder<&'b [u8]>),
    Deflate(DeflateDecoder<&'b [u8]>),
    Brotli(Box<brotli_decompressor::Decompressor<&'b [u8]>>),
}

impl<'b> Unpacker<'b> {
    /// The reader of the outermost coding of `packed`: gzip if the bytes are, else the next of
    /// `named`, which is taken out. `None` if nothing is packed.
    pub(super) fn next(packed: &'b [u8], named: &mut Vec<ContentCoding>) -> Option<Self> {
        if is_gzip(packed) {
            return Some(Self::Gzip(Some(GzDecoder::new(packed))));
        }
        if named.is_empty() || is_document(packed) {
            return None;
        }
        Some(match named.remove(0) {
            // Many servers leave out the header of zlib that RFC 9110 requires.
            ContentCoding::Deflate if is_zlib(packed) => Self::Zlib(ZlibDecoder::new(packed)),
            ContentCoding::Deflate => Self::Deflate(DeflateDecoder::new(packed)),
            ContentCoding::Brotli => {
                Self::Brotli(Box::new(brotli_decompressor::Decompressor::new(packed, 4096)))
            }
        })
    }
}

/// Whether bytes begin with the header of zlib (RFC 1950, section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

impl Read for Unpacker<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(member) => loop {
                let Some(open) = member else { return Ok(0) };
                let read = open.read(into)?;
                if read > 0 {
                    return Ok(read);
                }
                // Servers pad the last member. Only another member is part of the body.
                let rest = member.take().map_or(&[][..], GzDecoder::into_inner);
                *member = is_gzip(rest).then(|| GzDecoder::new(rest));
            },
            Self::Zlib(stream) => stream.read(into),
            Self::Deflate(stream) => stream.read(into),
            Self::Brotli(stream) => stream.read(into),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"<rss>Korea Korea Korea</rss>";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn unpacked(packed: &[u8], named: &[ContentCoding]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        match Unpacker::next(packed, &mut named.to_vec()) {
            Some(mut unpacker) => unpacker.read_to_end(&mut read)?,
            None => packed.to_vec().as_slice().read_to_end(&mut read)?,
        };
        Ok(read)
    }

    #[test]
    fn all_members_of_gzip_are_read_and_padding_is_not() {
        let (first, second) = TEXT.split_at(9);
        let members = [gzip(first), gzip(second), vec![0; 64]].concat();
        assert_eq!(unpacked(&members, &[]).unwrap(), TEXT);
        let cut = &members[..members.len() - 64 - 5];
        assert!(unpacked(cut, &[]).is_err(), "the second member lacks its end");
    }

    #[test]
    fn deflate_is_read_with_the_header_of_zlib_and_without() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
        bare.write_all(TEXT).unwrap();
        for packed in [zlib.finish().unwrap(), bare.finish().unwrap()] {
            assert_eq!(unpacked(&packed, &[ContentCoding::Deflate]).unwrap(), TEXT);
        }
    }

    #[test]
    fn a_document_is_not_unpacked_whatever_a_header_says() {
        assert_eq!(unpacked(TEXT, &[ContentCoding::Brotli]).unwrap(), TEXT);
        assert_eq!(unpacked(b"\x00x", &[]).unwrap(), b"\x00x");
    }

    #[test]
    fn codings_are_known_by_their_names_in_any_case_the_last_first() {
        let mut head = HeaderMap::new();
        head.append(CONTENT_ENCODING, HeaderValue::from_static("X-Gzip, Deflate"));
        head.append(CONTENT_ENCODING, HeaderValue::from_static(" BR, utf-8, identity"));
        assert_eq!(codings(&head), [ContentCoding::Brotli, ContentCoding::Deflate]);
    }
}
