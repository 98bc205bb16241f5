//! The values of a YAML document with their places, by the YAML 1.2 core schema.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::ScalarStyle;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct PlacedValue {
    pub(super) place: ValuePlace,
    pub(super) value: YamlValue,
}

/// The place of a value.
#[derive(Clone, Debug)]
pub(super) struct ValuePlace {
    /// Bytes of the source. A scalar or an alias has its whole text. A list or mapping has its
    /// first line, up to its closing bracket if that is in the line.
    pub(super) span: Range<usize>,
    pub(super) style: ScalarStyle,
    /// Whether it is an alias. Everything inside its value has the place of the alias.
    pub(super) is_alias: bool,
}

/// A value. Aliases share lists and mappings.
#[derive(Clone, Debug)]
pub(super) enum YamlValue {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Arc<[PlacedValue]>),
    /// Keys and values, in the order of the text.
    Mapping(Arc<[(PlacedValue, PlacedValue)]>),
}

/// A number of the core schema.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Unsigned(u64),
    /// Below 0.
    Negative(i64),
    Float(f64),
}

/// Why a scalar has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// An integer below -2^63, or from 2^64 up.
    TooLarge,
    /// It does not fit its tag: `!!int x`.
    NotOfTag,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Negative(number) => write!(f, "{number}"),
            Self::Float(number) if number.is_nan() => f.write_str(".nan"),
            Self::Float(f64::INFINITY) => f.write_str(".inf"),
            Self::Float(f64::NEG_INFINITY) => f.write_str("-.inf"),
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}

impl YamlValue {
    /// The value of a scalar with the content `text`. `tag` is the part of a core schema tag after
    /// `!!`, if it has one.
    pub(super) fn from_scalar(
        text: &str,
        style: ScalarStyle,
        tag: Option<&str>,
    ) -> Result<Self, NoValue> {
        let not_of_tag = NoValue::NotOfTag;
        match tag {
            None if style == ScalarStyle::Plain => Self::from_plain(text),
            Some("bool") => bool_of(text).map(Self::Bool).ok_or(not_of_tag),
            Some("int") => Ok(Self::Number(integer(text)?.ok_or(not_of_tag)?)),
            Some("float") => Ok(Self::Number(Number::Float(float(text).ok_or(not_of_tag)?))),
            Some("null") => is_null(text).then_some(Self::Null).ok_or(not_of_tag),
            None | Some(_) => Ok(Self::String(text.to_owned())),
        }
    }

    /// The value of a plain scalar without a tag.
    fn from_plain(text: &str) -> Result<Self, NoValue> {
        if text.is_empty() || is_null(text) {
            return Ok(Self::Null);
        }
        // Most scalars are words. No other value begins with the other letters.
        let may_be_other = text.starts_with(|c: char| {
            c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 't' | 'T' | 'f' | 'F')
        });
        if !may_be_other {
            return Ok(Self::String(text.to_owned()));
        }
        if let Some(value) = bool_of(text) {
            return Ok(Self::Bool(value));
        }
        if let Some(number) = integer(text)? {
            return Ok(Self::Number(number));
        }
        let number = float(text).filter(|_| !has_leading_zero(text));
        Ok(number.map_or_else(
            || Self::String(text.to_owned()),
            |number| Self::Number(Number::Float(number)),
        ))
    }

    /// The text, if it is a string.
    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "null" | "Null" | "NULL" | "~")
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// The integer in `text`: in base 10, or in base 16, 8 or 2 after `0x`, `0o` or `0b`. `None` if it
/// is not an integer.
fn integer(text: &str) -> Result<Option<Number>, NoValue> {
    let (is_negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed = bases.into_iter().find_map(|(mark, base)| {
        let digits = magnitude.strip_prefix(mark)?;
        is_number(digits, base).then_some((digits, base))
    });
    let Some((digits, base)) = prefixed.or_else(|| {
        (is_number(magnitude, 10) && !has_leading_zero(text)).then_some((magnitude, 10))
    }) else {
        return Ok(None);
    };
    let Ok(number) = u64::from_str_radix(digits, base) else { return Err(NoValue::TooLarge) };
    if !is_negative || number == 0 {
        return Ok(Some(Number::Unsigned(number)));
    }
    let negative = 0_i64.checked_sub_unsigned(number).ok_or(NoValue::TooLarge)?;
    Ok(Some(Number::Negative(negative)))
}

fn is_number(digits: &str, base: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|c| c.is_digit(base))
}

/// Whether `text` has only digits and a leading zero that is not its only digit. Such a text is a
/// string.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && is_number(digits, 10)
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" if text == unsigned => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" if text == unsigned => return Some(f64::NAN),
        _ if text != unsigned && unsigned.starts_with(['+', '-']) => return None,
        _ => {}
    }
    unsigned.parse().ok().filter(|number: &f64| number.is_finite())
}
