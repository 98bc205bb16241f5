//! Reports of one form, which have most words in common and are never copies of each other.

use super::press::Press;

/// Two reports of one form.
pub fn two(press: &mut Press, form: fn(&mut Press) -> String) -> [String; 2] {
    [form(press), form(press)]
}

fn n(press: &mut Press, from: u32, to: u32) -> u32 {
    press.rng.u32(from..to)
}

fn one_of<'w>(press: &mut Press, words: &[&'w str]) -> &'w str {
    press.rng.choice(words).expect("some")
}

pub fn market(press: &mut Press) -> String {
    let way = one_of(press, &["rose", "fell", "climbed", "slipped"]);
    format!(
        "Shares on the main exchange {way} on {day}, with the benchmark index closing {a}.{b} points {way} at {c}.{d}. Advancing \
         issues outnumbered declining ones by {e} to {f} on volume of {g} million shares, against {h} million on the day before. Among \
         the most active stocks, {x} {way} {i}.{j} percent to {k}.{l}, while {y} ended at {m}.{o}. The currency was quoted at {p}.{q} to \
         the dollar late in the session. The yield on the ten-year bond stood at {r}.{s} percent. Traders said that investors were \
         waiting for the figures that the central bank is to publish at the end of the week, and that few wanted to take new positions \
         before. All figures are provisional until the exchange has confirmed them.",
        day = one_of(press, &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]),
        x = press.name(),
        y = press.name(),
        a = n(press, 1, 90),
        b = n(press, 0, 100),
        c = n(press, 4000, 5000),
        d = n(press, 0, 100),
        e = n(press, 200, 900),
        f = n(press, 200, 900),
        g = n(press, 100, 400),
        h = n(press, 100, 400),
        i = n(press, 0, 9),
        j = n(press, 0, 10),
        k = n(press, 5, 200),
        l = n(press, 0, 100),
        m = n(press, 5, 200),
        o = n(press, 0, 100),
        p = n(press, 1, 9),
        q = n(press, 1000, 9999),
        r = n(press, 1, 9),
        s = n(press, 0, 100),
    )
}

pub fn weather(press: &mut Press) -> String {
    let sky = ["sunny", "cloudy", "mostly sunny", "mostly cloudy", "rainy"];
    format!(
        "The forecast for {place} and the surrounding area. Tonight it will be {a}, with a low around {b}. Winds from the {c} at {d} to {e} \
         miles an hour. Tomorrow it will be {f}, with a high near {g}. The chance of rain is {h} percent. Tomorrow night it will be {i}, \
         with a low around {j}. On the day after, expect it to be {k}, with a high near {l} and winds from the {m}. The sun rises at \
         {o}:{p} and sets at {q}:{r}. The weather service issues its next forecast at noon, and asks people near rivers to watch for \
         warnings, which are published as soon as they are issued.",
        place = press.name(),
        a = one_of(press, &sky),
        b = n(press, 20, 60),
        c = one_of(press, &["north", "south", "east", "west"]),
        d = n(press, 2, 10),
        e = n(press, 10, 30),
        f = one_of(press, &sky),
        g = n(press, 50, 90),
        h = n(press, 1, 10) * 10,
        i = one_of(press, &sky),
        j = n(press, 20, 60),
        k = one_of(press, &sky),
        l = n(press, 50, 90),
        m = one_of(press, &["north", "south", "east", "west"]),
        o = n(press, 5, 8),
        p = n(press, 10, 60),
        q = n(press, 17, 21),
        r = n(press, 10, 60),
    )
}

pub fn football(press: &mut Press) -> String {
    let (home, guest) = (press.name(), press.name());
    format!(
        "{home} beat {guest} {a}-{b} at home on {day} before a crowd of {c}. {x} opened the score in the {d}th minute after a pass from {y}, \
         and added a second in the {e}th. {guest} came back into the match when {z} scored from {f} metres in the {g}th minute, but \
         could not find another goal although they had the ball for most of the second half. {home} are now {h}th in the table with {i} \
         points from {j} matches, and {guest} are {k}th with {l}. The coach of {home} said that his team had deserved to win and had to \
         keep its feet on the ground. The coach of {guest} said that his players had lacked luck in front of the goal.",
        day = one_of(press, &["Friday", "Saturday", "Sunday"]),
        x = press.name(),
        y = press.name(),
        z = press.name(),
        a = n(press, 2, 5),
        b = n(press, 0, 2),
        c = n(press, 3000, 60_000),
        d = n(press, 4, 40),
        e = n(press, 40, 70),
        f = n(press, 5, 30),
        g = n(press, 70, 90),
        h = n(press, 4, 19),
        i = n(press, 10, 70),
        j = n(press, 10, 34),
        k = n(press, 4, 19),
        l = n(press, 10, 70),
    )
}

/// Four numbers and a name in over a hundred words.
pub fn quake(press: &mut Press) -> String {
    format!(
        "An earthquake of magnitude {a}.{b} was recorded {c} kilometres from {place}, at a depth of {d} kilometres, the survey said. This \
         report was written by a program from data of the survey, and was looked at by an editor before it was published. The survey \
         counts as light a quake of a magnitude between four and five; such quakes are felt by many, and seldom do harm. Within the last \
         ten days there has been no quake of that size nearby. If you felt it, tell the survey what it was like where you were: a form \
         stands on its pages, and what people write there helps to draw the maps of later quakes. A program like this one makes \
         mistakes; if you see one, write to the editors.",
        place = press.name(),
        a = n(press, 3, 6),
        b = n(press, 0, 10),
        c = n(press, 2, 90),
        d = n(press, 3, 70),
    )
}

pub fn bond(press: &mut Press) -> String {
    let (bank, lead) = (press.name(), press.name());
    format!(
        "{bank} is issuing a {a} million dollar bond due {day} {month}, {year}, that pays {b}.{c} percent and is priced at {d}.{e} percent, \
         lead manager {lead} said. The bond is not callable before it is due and is available in denominations of 5,000 dollars, and \
         will be listed in Luxembourg. The selling concession is {f}.{g} percent, while management and underwriting combined pay {h} \
         percent. The payment date is {day} {month}. It is the {i}th issue of {bank} on this market.",
        a = n(press, 2, 60) * 10,
        day = n(press, 1, 29),
        month = one_of(press, &["March", "April", "May", "June"]),
        year = n(press, 2028, 2036),
        b = n(press, 3, 9),
        c = one_of(press, &["125", "25", "5", "75"]),
        d = n(press, 99, 102),
        e = one_of(press, &["125", "25", "5", "75"]),
        f = n(press, 1, 3),
        g = one_of(press, &["125", "25", "5"]),
        h = one_of(press, &["half", "3/4", "5/8"]),
        i = n(press, 2, 30),
    )
}
