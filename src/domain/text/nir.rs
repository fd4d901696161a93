//! Numbers that look like a NIR (numéro de sécurité sociale) or an INS, which is one.
//!
//! LAW: decree 2019-341 forbids any use of the NIR outside the listed cases, and ours is none of them. So the
//! structure alone is enough to refuse; a valid key refuses fifteen digits of any structure.
//! It does not find a number written out in words or split by letters: this guards against habit, not against will.

#[derive(Clone, Copy)]
struct Symbol {
    /// `0`–`9`, or `A`, `B` (Corsica).
    value: u8,
    /// First of its group of digits.
    opens: bool,
    /// Last of its group of digits.
    closes: bool,
}

/// At most so many separators may stand between two groups of one number.
const WIDEST_GAP: usize = 3;

const fn digit(c: char) -> Option<u8> {
    Some(match c {
        '0' | '０' | '٠' | '۰' => b'0',
        '1' | '１' | '١' | '۱' => b'1',
        '2' | '２' | '٢' | '۲' => b'2',
        '3' | '３' | '٣' | '۳' => b'3',
        '4' | '４' | '٤' | '۴' => b'4',
        '5' | '５' | '٥' | '۵' => b'5',
        '6' | '６' | '٦' | '۶' => b'6',
        '7' | '７' | '٧' | '۷' => b'7',
        '8' | '８' | '٨' | '۸' => b'8',
        '9' | '９' | '٩' | '۹' => b'9',
        _ => return None,
    })
}

fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | '-' | '‐' | '‑' | '‒' | '–' | '—' | '−' | '/' | '_' | '·' | '•')
}

/// Whether a digit follows, after a few separators at most.
fn digit_follows(rest: &str) -> bool {
    rest.chars()
        .enumerate()
        .find(|(_, c)| !separates(*c))
        .is_some_and(|(gap, c)| gap <= WIDEST_GAP && digit(c).is_some())
}

/// Maximal runs of digits (and Corsican letters) with only separators between.
fn runs(text: &str) -> Vec<Vec<Symbol>> {
    let mut all = Vec::new();
    let mut run: Vec<Symbol> = Vec::new();
    let mut gap = 0_usize;
    // Digits of an international telephone number still to be passed over.
    let mut phone_digits = 0_usize;
    for (at, c) in text.char_indices() {
        let rest = text.get(at.saturating_add(c.len_utf8())..).unwrap_or_default();
        let value = match c {
            'A' | 'a' | 'B' | 'b' if run.last().is_some_and(|s| s.value == b'2') && digit_follows(rest) => {
                Some(if matches!(c, 'A' | 'a') { b'A' } else { b'B' })
            }
            _ => digit(c),
        };
        if let Some(value) = value {
            if phone_digits > 0 {
                phone_digits = phone_digits.saturating_sub(1);
                continue;
            }
            let letter = !value.is_ascii_digit();
            let apart = gap > 0 || run.is_empty();
            if !apart
                && !letter
                && let Some(before) = run.last_mut()
            {
                before.closes = false;
            }
            run.push(Symbol { value, opens: apart, closes: true });
            gap = 0;
        } else if separates(c) && gap < WIDEST_GAP {
            gap = gap.saturating_add(1);
        } else {
            all.push(std::mem::take(&mut run));
            gap = 0;
            // `+33 6 12 34 56 78` is a telephone number: its eleven digits are not the beginning of anything.
            phone_digits = if c == '+' && rest.trim_start().starts_with("33") { 11 } else { 0 };
        }
    }
    all.push(run);
    all
}

fn number(symbols: &[Symbol]) -> Option<u64> {
    symbols.iter().try_fold(0_u64, |sum, s| {
        if !s.value.is_ascii_digit() {
            return None;
        }
        sum.checked_mul(10)?.checked_add(u64::from(s.value.wrapping_sub(b'0')))
    })
}

/// Sex, year, month, department, commune, order.
fn has_structure(symbols: &[Symbol]) -> bool {
    let part = |from: usize, to: usize| symbols.get(from..to).and_then(number);
    let sex = matches!(part(0, 1), Some(1..=4 | 7 | 8));
    let year = part(1, 3).is_some();
    // 20 and above: month unknown, or given by the registry of people born abroad.
    let month = matches!(part(3, 5), Some(1..=12 | 20 | 30..=42 | 50..=99));
    let corsica =
        matches!(symbols.get(5..7), Some([Symbol { value: b'2', .. }, Symbol { value: b'A' | b'B', .. }]));
    let department = corsica || matches!(part(5, 7), Some(1..=99));
    let commune = part(7, 10).is_some();
    let order = matches!(part(10, 13), Some(1..));
    sex && year && month && department && commune && order
}

/// 97 − (number mod 97), with 2A as 19 and 2B as 18.
fn key_holds(symbols: &[Symbol]) -> bool {
    let (Some(body), Some(key)) = (symbols.get(..13), symbols.get(13..15).and_then(number)) else {
        return false;
    };
    let digits: Vec<Symbol> = body
        .iter()
        .map(|s| match s.value {
            b'A' => Symbol { value: b'9', ..*s },
            b'B' => Symbol { value: b'8', ..*s },
            _ => *s,
        })
        .collect();
    // For Corsica the `2` before the letter counts as `1`: 2A is 19, 2B is 18.
    let corsica = body.get(6).is_some_and(|s| !s.value.is_ascii_digit());
    let less = if corsica { 10_000_000 } else { 0 };
    number(&digits)
        .and_then(|n| n.checked_sub(less))
        .is_some_and(|n| n.checked_rem(97).is_some_and(|r| 97 - r == key))
}

/// Whether `text` holds thirteen or fifteen digits with the structure of a NIR, however they are spaced, or fifteen
/// digits whose key holds.
#[must_use]
pub fn looks_like_nir(text: &str) -> bool {
    runs(text).iter().any(|run| {
        run.iter().enumerate().filter(|(_, s)| s.opens).any(|(from, _)| {
            let window = |length: usize| {
                run.get(from..from.saturating_add(length)).filter(|w| w.last().is_some_and(|s| s.closes))
            };
            let plain = window(13).is_some_and(has_structure);
            let keyed = window(15).is_some_and(|w| {
                let key = matches!(w.get(13..15).and_then(number), Some(1..=97));
                (key && has_structure(w)) || key_holds(w)
            });
            plain || keyed
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn law_7_the_nir_is_found_however_it_is_written() {
        for text in [
            "185057800608491",
            "1850578006084",
            "1 85 05 78 006 084",
            "1 85 05 78 006 084 91",
            "NIR:1.85.05.78.006.084-91, voir",
            "n°185057800608491x",
            "1\u{a0}85\u{202f}05 78 006 084",
            "2 99 12 2A 004 118",
            "29912 2b 00411837",
            "2 99 12 2 A 004 118",
            "né le 3 1 85 05 78 006 084 91",
            "1.2.250.1.213.1.4.8 185057800608491",
            "１８５０５７８００６０８４",
            // Born abroad, month unknown, temporary number.
            "2 85 20 99 351 004",
            "7 85 05 78 006 084",
            // A wrong key is still a NIR.
            "1 85 05 78 006 084 12",
        ] {
            assert!(looks_like_nir(text), "{text}");
        }
    }

    #[test]
    fn what_people_need_to_write_passes() {
        for text in [
            "06 12 34 56 78",
            "06 12 34 56 78 ou 01 23 45 67 89",
            "06 12 34 56 78 / 01 23 45 67 89",
            "+33 6 12 34 56 78 / 06 12 34 56 78",
            "+33 1 12 34 56 78 06 12 34 56 78",
            "du 12/07/2027 au 26/07/2027, 14 h 30",
            "traitement à 20 h, 2 comprimés de 500 mg",
            "SIRET 732 829 320 00074",
            "12 rue du 8 mai 1945, 42150 La Ricamarie",
            "12345678901234567890",
            "bus 2A 10 min",
            "",
        ] {
            assert!(!looks_like_nir(text), "{text}");
        }
    }

    #[test]
    fn a_valid_key_refuses_fifteen_digits_of_any_structure() {
        // Month 15 does not exist: only the key tells.
        let body = 1_851_578_006_084_u64;
        let key = 97 - body % 97;
        assert!(looks_like_nir(&format!("{body}{key:02}")));
        assert!(!looks_like_nir(&format!("{body}{:02}", key % 97 + 1)));
        // Known Corsican key: 2 99 12 2A 004 118 counts as 2 99 12 19 004 118.
        let corsican = 2_991_219_004_118_u64;
        let symbols: Vec<_> = runs(&format!("299122A004118{:02}", 97 - corsican % 97)).concat();
        assert!(key_holds(&symbols));
    }

    proptest! {
        #[test]
        fn law_7_no_spacing_hides_a_nir(
            sex in 1_u8..=2, year in 0_u8..=99, month in 1_u8..=12, department in 1_u8..=95,
            commune in 1_u16..=990, order in 1_u16..=999, keyed in any::<bool>(),
            gaps in proptest::collection::vec("[ .\u{a0}-]{0,3}", 6), around in "[a-z ,;]{0,8}",
        ) {
            let groups = [
                format!("{sex}"), format!("{year:02}"), format!("{month:02}"), format!("{department:02}"),
                format!("{commune:03}"), format!("{order:03}"),
            ];
            let body: u64 = groups.concat().parse().unwrap();
            let mut text = around.clone();
            for (group, gap) in groups.iter().zip(&gaps) {
                text.push_str(group);
                text.push_str(gap);
            }
            if keyed {
                text.push_str(&format!("{:02}", 97 - body % 97));
            }
            text.push_str(&around);
            prop_assert!(looks_like_nir(&text), "{}", text);
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in any::<String>()) {
            let first = looks_like_nir(&text);
            prop_assert_eq!(first, looks_like_nir(&text));
        }

        #[test]
        fn lists_of_national_telephone_numbers_pass(numbers in proptest::collection::vec("0[1-9]( [0-9]{2}){4}", 1..5)) {
            prop_assert!(!looks_like_nir(&numbers.join(" / ")));
        }
    }
}
