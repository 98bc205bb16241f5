//! Where a page sends browsers on: `<meta http-equiv=refresh>` and the header `Refresh`.

/// The most seconds after which browsers are sent on to the article. Pages that show one themselves
/// wait longer.
const SOON: u32 = 10;

/// The address in the value of a refresh, as it is written, if browsers go there within a few
/// seconds (HTML standard, section 4.2.5.3).
pub(super) fn refresh_target(value: &str) -> Option<&str> {
    let value = value.trim_start();
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (seconds, rest) = value.split_at(digits);
    let fraction = rest.starts_with('.');
    let seconds: u32 = if seconds.is_empty() && fraction { 0 } else { seconds.parse().ok()? };
    if seconds > SOON {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let begins = rest.starts_with(|c: char| c == ';' || c == ',' || c.is_ascii_whitespace());
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let target = unquoted(without_name(rest)).trim();
    (begins && !target.is_empty()).then_some(target)
}

/// The value without `url=` before it.
fn without_name(value: &str) -> &str {
    let is_named = value.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"));
    let named = is_named.then(|| value[3..].trim_start().strip_prefix('=')).flatten();
    named.map_or(value, str::trim_start)
}

/// The text within the quotes that `value` begins with, if it does.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote) {
            return inside.split(quote).next().unwrap_or(inside);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::refresh_target;

    #[rstest]
    #[case("0; url=/real", Some("/real"))]
    #[case("0;URL='/real'", Some("/real"))]
    #[case("1;URL=\"/real\" x", Some("/real"))]
    #[case("0;/real", Some("/real"))]
    #[case("0, /real", Some("/real"))]
    #[case(" 5  url = https://a.example/b?c=d;e ", Some("https://a.example/b?c=d;e"))]
    #[case("0.5; url=/real", Some("/real"))]
    #[case(".1; url=/real", Some("/real"))]
    #[case("0;Url=/url=x", Some("/url=x"))]
    #[case("0;urlaub.html", Some("urlaub.html"))]
    #[case("10;url=/real", Some("/real"))]
    #[case("11;url=/real", None)]
    #[case("300; url=/real", None)]
    #[case("99999999999; url=/real", None)]
    #[case("0", None)]
    #[case("0;", None)]
    #[case("0; url=", None)]
    #[case("0; url=''", None)]
    #[case("url=/real", None)]
    #[case("0x; url=/real", None)]
    #[case("", None)]
    fn a_refresh_leads_on_within_seconds(#[case] value: &str, #[case] target: Option<&str>) {
        assert_eq!(refresh_target(value), target);
    }
}
