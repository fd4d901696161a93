//! French spaces of a finished page: no line begins with « : », « ? » or « · », none ends with an opening guillemet, and none
//! breaks a number, a telephone, a date or an hour.
//!
//! INVARIANT: a space becomes one that does not break, and nothing else changes; attributes, and what a form or a block
//! of code holds (it may be copied, or sent again), stay as they are.

const UNBROKEN: char = '\u{a0}';

/// Elements whose text is copied, sent or shown elsewhere: it stays as it was written.
const AS_WRITTEN: [&str; 6] = ["title", "textarea", "pre", "code", "script", "style"];

fn name_of(tag: &str) -> &str {
    tag.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default()
}

/// What a number is not parted from: « 14 mars », « 9 h », « 3 mois ».
const AFTER_NUMBERS: [&str; 22] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "h",
    "min",
    "s",
    "jour",
    "jours",
    "mois",
    "an",
    "ans",
    "heures",
    "px",
];

/// Whether the space between these two does not break.
fn joins(before: &str, after: &str) -> bool {
    let number = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    let next = after.chars().next();
    let digit_next = next.is_some_and(|c| c.is_ascii_digit());
    let word = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    before.ends_with('«')
        || matches!(next, Some(':' | ';' | '?' | '!' | '»' | '·'))
        || (number(before) && (digit_next || AFTER_NUMBERS.contains(&word)))
        || (before.ends_with("1er") && AFTER_NUMBERS.contains(&word))
        || (digit_next && before.strip_suffix(" h").is_some_and(number))
        || (digit_next && before.ends_with("n°"))
}

/// One piece of text between two tags.
fn joined(text: &str, out: &mut String) {
    for (at, c) in text.char_indices() {
        let unbroken = c == ' '
            && text.get(..at).zip(text.get(at.saturating_add(1)..)).is_some_and(|(b, a)| joins(b, a));
        out.push(if unbroken { UNBROKEN } else { c });
    }
}

/// The page, with the spaces of French.
#[must_use]
pub fn french(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut pieces = html.split('<');
    joined(pieces.next().unwrap_or_default(), &mut out);
    let mut as_written: Option<&str> = None;
    for piece in pieces {
        out.push('<');
        let Some((tag, text)) = piece.split_once('>') else {
            out.push_str(piece);
            continue;
        };
        out.push_str(tag);
        out.push('>');
        let name = name_of(tag);
        match as_written {
            Some(open) if name.strip_prefix('/') == Some(open) => as_written = None,
            Some(_) => {}
            None => as_written = AS_WRITTEN.into_iter().find(|n| *n == name),
        }
        if as_written.is_some() {
            out.push_str(text);
        } else {
            joined(text, &mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_of_french_do_not_break_and_nothing_else_changes() {
        let page = "<h1 title=\"Qui ? Vous : lui\">Partage pour « Coordonner » : qui lira ?</h1><p>« <a href=\"/a?b=c\">Lire</a> » ; non !</p>";
        let spaced = french(page);
        assert_eq!(
            spaced,
            "<h1 title=\"Qui ? Vous : lui\">Partage pour «\u{a0}Coordonner\u{a0}»\u{a0}: qui lira\u{a0}?</h1><p>«\u{a0}<a href=\"/a?b=c\">Lire</a>\u{a0}»\u{a0}; non\u{a0}!</p>"
        );
        assert_eq!(spaced.replace(UNBROKEN, " "), page);
        assert_eq!(
            french("le 1er mars 2027 à 9 h 05 (dans 12 jours), trace n° 7, 3 traces"),
            "le 1er\u{a0}mars 2027 à 9\u{a0}h\u{a0}05 (dans 12\u{a0}jours), trace n°\u{a0}7, 3 traces"
        );
        assert_eq!(french("Prévenez 06 01 02, 1 204 fois"), "Prévenez 06\u{a0}01\u{a0}02, 1\u{a0}204 fois");
        assert_eq!(french(&spaced), spaced);
    }

    #[test]
    fn what_is_sent_again_or_copied_stays_as_it_was_written() {
        for kept in [
            "<textarea rows=\"2\">Qui ? « Lui » :</textarea>",
            "<input value=\"Qui ? « Lui »\">",
            "<pre class=\"exact\"><b>a : b</b></pre>",
            "<code>a : b</code>",
            "<title>Accords · Relais</title>",
        ] {
            assert_eq!(french(kept), kept);
        }
        assert_eq!(french("<code>a : b</code> : c"), "<code>a : b</code>\u{a0}: c");
        assert_eq!(french("a : b < c"), "a\u{a0}: b < c");
    }
}
