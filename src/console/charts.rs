//! Small pictures made of letters: gauges, histories, bars of parts. Pure: numbers in, text of an exact width out.

use super::symbols::Symbols;

/// A bar filled to a part of its width, in eighths of a cell where the glyphs have them.
#[must_use]
pub fn gauge(width: usize, ratio: f64, symbols: &Symbols) -> String {
    let steps = symbols.gauge.len() - 1;
    let filled = cells(width * steps, ratio);
    (0..width).map(|i| symbols.gauge[filled.saturating_sub(i * steps).min(steps)]).collect()
}

/// A gauge as its filled part and its track, so that each has a colour of its own.
#[must_use]
pub fn gauge_parts(width: usize, ratio: f64, symbols: &Symbols) -> (String, String) {
    let bar = gauge(width, ratio, symbols);
    let filled: String = bar.chars().take_while(|c| !symbols.gauge[0].contains(*c)).collect();
    let left = width - filled.chars().count();
    (filled, symbols.track.repeat(left))
}

/// A part of a whole.
#[must_use]
pub fn share(part: i64, whole: i64) -> f64 {
    if whole > 0 { ratio(part, whole) } else { 0.0 }
}

/// Columns several rows high against a top, from the highest row down.
#[must_use]
pub fn tall(columns: &[i64], top: i64, rows: usize, symbols: &Symbols) -> Vec<String> {
    let steps = symbols.spark.len() - 1;
    let heights: Vec<usize> = columns.iter().map(|v| if *v <= 0 { 0 } else { cells(steps * rows, ratio(*v, top.max(1))).max(1) }).collect();
    let row = |r: usize| heights.iter().map(|h| symbols.spark[h.saturating_sub(r * steps).min(steps)]).collect();
    (0..rows).rev().map(row).collect()
}

/// The highest of `width` values, from 0, each a column; the newest at the right. What is more than nothing can be
/// seen, and the largest is as high as a column goes.
#[must_use]
pub fn spark(values: &[i64], width: usize, symbols: &Symbols) -> String {
    let columns = columns(values, width);
    let top = columns.iter().copied().max().unwrap_or(0).max(1);
    spark_to(&columns, top, symbols)
}

/// The same against a top that others share.
#[must_use]
pub fn spark_to(columns: &[i64], top: i64, symbols: &Symbols) -> String {
    let steps = symbols.spark.len() - 1;
    columns
        .iter()
        .map(|v| {
            let height = if *v <= 0 { 0 } else { cells(steps, ratio(*v, top.max(1))).max(1) };
            symbols.spark[height.min(steps)]
        })
        .collect()
}

/// Values gathered into columns, the newest at the right: the largest of each.
#[must_use]
pub fn columns(values: &[i64], width: usize) -> Vec<i64> {
    let mut out = vec![0; width];
    let n = values.len();
    if width == 0 {
        return out;
    }
    if n <= width {
        out[width - n..].copy_from_slice(values);
        return out;
    }
    for (i, v) in values.iter().enumerate() {
        let column = &mut out[i * width / n];
        *column = (*column).max(*v);
    }
    out
}

/// How many of `width` cells each part of a whole takes: they add up to the width where there is anything, and
/// what there is has a cell as long as there are enough.
#[must_use]
pub fn parts(width: usize, parts: &[i64]) -> Vec<usize> {
    let whole: i64 = parts.iter().map(|p| (*p).max(0)).sum();
    if whole == 0 || width == 0 {
        return vec![0; parts.len()];
    }
    let mut out: Vec<usize> = parts.iter().map(|p| if *p <= 0 { 0 } else { cells(width, ratio(*p, whole)).max(1) }).collect();
    // Rounding took or gave some: the largest settles it.
    loop {
        let sum: usize = out.iter().sum();
        let Some(largest) = (0..out.len()).max_by_key(|i| out[*i]) else { return out };
        match sum.cmp(&width) {
            std::cmp::Ordering::Equal => return out,
            std::cmp::Ordering::Less => out[largest] += width - sum,
            std::cmp::Ordering::Greater => out[largest] -= 1,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share that is drawn in cells")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

/// A part of so many cells, rounded; of nonsense none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "between 0 and the width of a screen")]
fn cells(of: usize, ratio: f64) -> usize {
    if ratio.is_nan() { 0 } else { (ratio.clamp(0.0, 1.0) * of as f64).round() as usize }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn a_gauge_is_filled_by_eighths() {
        let at = |ratio| gauge(4, ratio, &Symbols::unicode());
        assert_eq!(at(0.0), "    ");
        assert_eq!(at(0.5), "██  ");
        assert_eq!(at(0.53), "██▏ ");
        assert_eq!(at(1.0), "████");
        assert_eq!((at(7.0), at(-1.0), at(f64::NAN)), ("████".into(), "    ".into(), "    ".into()));
        assert_eq!(gauge(10, 0.65, &Symbols::ascii()), "#######...");
        assert_eq!(gauge(0, 0.5, &Symbols::unicode()), "");
    }

    #[test]
    fn a_history_has_its_newest_at_the_right_and_shows_what_there_is() {
        let unicode = |values: &[i64], width| spark(values, width, &Symbols::unicode());
        assert_eq!(unicode(&[0, 1, 8], 5), "   ▁█");
        assert_eq!(unicode(&[0, 1, 1000], 3), " ▁█", "one of a thousand can be seen");
        assert_eq!(unicode(&[4, 0, 0, 0, 0, 8], 3), "▄ █", "the largest of each column");
        assert_eq!((unicode(&[], 3), unicode(&[0, 0], 2)), ("   ".into(), "  ".into()));
        assert_eq!(spark(&[0, 5, 10], 3, &Symbols::ascii()), " =#");
        for width in 0..70 {
            assert_eq!(unicode(&[3, 1, 4, 1, 5, 9, 2, 6], width).width(), width);
        }
    }

    #[test]
    fn a_gauge_of_two_parts_is_as_wide_as_one_and_a_tall_history_as_high_as_it_goes() {
        for (set, want) in [(Symbols::unicode(), ("█▌", "░░")), (Symbols::ascii(), ("##", ".."))] {
            let (filled, track) = gauge_parts(4, 0.375, &set);
            assert_eq!((filled.as_str(), track.as_str()), want);
        }
        assert_eq!(tall(&[0, 1, 8, 16], 16, 2, &Symbols::unicode()), ["   █", " ▁██"]);
        assert_eq!(tall(&[5], 0, 1, &Symbols::unicode()), ["█"]);
    }

    #[test]
    fn parts_fill_the_bar_and_none_is_lost() {
        assert_eq!(parts(10, &[50, 50]), [5, 5]);
        assert_eq!(parts(10, &[1, 9999, 0]), [1, 9, 0]);
        assert_eq!(parts(10, &[0, 0]), [0, 0]);
        assert_eq!(parts(3, &[1, 1, 1, 1, 1]).iter().sum::<usize>(), 3);
        for width in 1..50 {
            assert_eq!(parts(width, &[7, 13, 0, 29, 1]).iter().sum::<usize>(), width);
        }
    }
}
