namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>What a figure must reach, and what it aims at beyond that.</summary>
/// <param name="Must">Missing this is a failure.</param>
/// <param name="Aim">What would be good; null: nothing beyond <paramref name="Must"/>.</param>
/// <param name="IsCeiling">True when smaller is better.</param>
internal sealed record Goal(double Must, double? Aim, bool IsCeiling)
{
    public static Goal AtLeast(double must, double? aim = null) => new(must, aim, IsCeiling: false);

    public static Goal AtMost(double must, double? aim = null) => new(must, aim, IsCeiling: true);

    public Verdict Judge(double value) =>
        !Reaches(value, Must) ? Verdict.Missed
        : Aim is { } aim && Reaches(value, aim) ? Verdict.Aim
        : Verdict.Reached;

    private bool Reaches(double value, double limit) => IsCeiling ? value <= limit : value >= limit;
}
