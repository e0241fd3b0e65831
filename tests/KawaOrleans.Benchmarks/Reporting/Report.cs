namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>What one run of one suite found.</summary>
/// <param name="Suite">The suite's name.</param>
/// <param name="Quick">True when the sizes were cut down for every-day use.</param>
/// <param name="Conditions">Where it ran and against what, by name.</param>
/// <param name="Figures">In the order of the suite.</param>
/// <param name="Took">How long all of it took.</param>
internal sealed record Report(
    string Suite, bool Quick, IReadOnlyDictionary<string, string> Conditions, IReadOnlyList<Figure> Figures, TimeSpan Took)
{
    /// <summary>True when every figure of which something is asked was measured and reached it.</summary>
    public bool Passes => !Figures.Any(f => f.Verdict == Verdict.Missed || (f.Verdict == Verdict.NotMeasured && f.Goal is not null));
}
