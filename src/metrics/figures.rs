//! What many measured values come to: percentiles, mean, deviation.

/// What many measured values come to. All zero if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// How many values.
    pub count: usize,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// Their arithmetic mean.
    pub mean: f64,
    /// Their standard deviation, as of a sample.
    pub deviation: f64,
    /// Half of them are below.
    pub median: f64,
    /// 75 of a hundred are below.
    pub p75: f64,
    /// 95 of a hundred are below.
    pub p95: f64,
    /// 98 of a hundred are below.
    pub p98: f64,
    /// 99 of a hundred are below.
    pub p99: f64,
    /// 999 of a thousand are below.
    pub p999: f64,
}

impl Figures {
    /// The figures of `values`, which it sorts.
    #[must_use]
    pub fn of(values: &mut [u64]) -> Self {
        values.sort_unstable();
        let ([min, ..], [.., max]) = (&*values, &*values) else { return Self::default() };
        let count = values.len();
        let sum: f64 = values.iter().map(|&value| float(value)).sum();
        let mean = sum / count as f64;
        let squares: f64 = values.iter().map(|&value| (float(value) - mean).powi(2)).sum();
        Self {
            count,
            min: *min,
            max: *max,
            mean,
            deviation: if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 },
            median: quantile(values, 500),
            p75: quantile(values, 750),
            p95: quantile(values, 950),
            p98: quantile(values, 980),
            p99: quantile(values, 990),
            p999: quantile(values, 999),
        }
    }
}

/// The value below which `thousandths` of all values are, as Dropwizard's uniform snapshot has it: at that share of the
/// way through n + 1 places, between its two neighbours by the remainder of the way.
fn quantile(sorted: &[u64], thousandths: usize) -> f64 {
    let way = thousandths * (sorted.len() + 1);
    let (place, remainder) = (way / 1_000, way % 1_000);
    let at =
        |place: usize| sorted.get(place.clamp(1, sorted.len()) - 1).map_or(0.0, |&it| float(it));
    at(place) + (at(place + 1) - at(place)) * (remainder as f64 / 1_000.0)
}

fn float(value: u64) -> f64 {
    // Exact for every number of milliseconds in three hundred thousand years.
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_to_zero() {
        assert_eq!(Figures::of(&mut []), Figures::default());
    }

    #[test]
    fn percentiles_lie_between_neighbours_as_in_dropwizard() {
        // The values of its own documentation of a uniform snapshot.
        let figures = Figures::of(&mut [5, 1, 2, 3, 4]);
        assert_eq!((figures.count, figures.min, figures.max), (5, 1, 5));
        assert_eq!((figures.median, figures.mean), (3.0, 3.0));
        assert!((figures.deviation - 1.581_138_830_084_19).abs() < 1e-12);
        assert_eq!(figures.p75, 4.5);
        // Beyond the last place it is the last value.
        assert_eq!([figures.p95, figures.p98, figures.p99, figures.p999], [5.0; 4]);
    }

    #[test]
    fn one_value_is_every_percentile() {
        let figures = Figures::of(&mut [7]);
        let all =
            [figures.median, figures.p75, figures.p95, figures.p98, figures.p99, figures.p999];
        assert_eq!((all, figures.mean, figures.deviation), ([7.0; 6], 7.0, 0.0));
    }

    #[test]
    fn of_a_thousand_values_each_percentile_has_its_place() {
        let mut values: Vec<u64> = (1..=999).rev().collect();
        let figures = Figures::of(&mut values);
        let found =
            [figures.median, figures.p75, figures.p95, figures.p98, figures.p99, figures.p999];
        assert_eq!(found, [500.0, 750.0, 950.0, 980.0, 990.0, 999.0]);
    }
}
