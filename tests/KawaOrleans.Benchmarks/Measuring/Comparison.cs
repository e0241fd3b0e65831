using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>What several sides did, round by round.</summary>
internal sealed class Comparison(IReadOnlyDictionary<string, Sample[]> samples)
{
    public double Median(string side) => MedianOf([.. Values(side)]);

    /// <summary>Each round's value.</summary>
    public IEnumerable<double> Values(string side) => samples[side].Select(s => s.Value);

    /// <summary>The median of the rounds' own ratios, not the ratio of two medians: a slow round is slow for both.</summary>
    public double Ratio(string side, string other) => MedianOf(Ratios(side, other, s => s.Value));

    /// <summary>Both sides' medians, the spread of the ratio, which is what noise does to the verdict, and the ratio of processor
    /// times, which noise does little to.</summary>
    public string Describe(string side, string other, Func<double, string> write)
    {
        var ratios = Ratios(side, other, s => s.Value);
        var processor = samples[side].Concat(samples[other]).All(s => s.Processor is not null)
            ? UnitText.Text($"; by processor time {MedianOf(Ratios(side, other, s => s.Processor!.Value)):0.00}×")
            : "";
        return $"{side} {write(Median(side))}, {other} {write(Median(other))}; {Spread(ratios)}{processor}";
    }

    /// <summary>Every side's median.</summary>
    public string Describe(Func<double, string> write) => string.Join(", ", samples.Keys.Select(name => $"{name} {write(Median(name))}"));

    /// <summary>The least and the greatest of one side's rounds.</summary>
    public string Spread(string side, Func<double, string> write) =>
        $"rounds {write(samples[side].Min(s => s.Value))}–{write(samples[side].Max(s => s.Value))}";

    /// <summary>The least and the greatest of the rounds.</summary>
    public static string Spread(IReadOnlyCollection<double> values) =>
        UnitText.Text($"rounds {values.Min():0.00}–{values.Max():0.00}");

    public static double MedianOf(IReadOnlyCollection<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private double[] Ratios(string side, string other, Func<Sample, double> of) => [.. samples[side].Zip(samples[other], (a, b) => of(a) / of(b))];
}
