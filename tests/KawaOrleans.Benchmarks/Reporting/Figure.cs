namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>One line of a report.</summary>
internal sealed record Figure
{
    /// <summary>Stable, for <c>--only</c> and for comparing reports: the row, then the body size or the peer.</summary>
    public required string Id { get; init; }

    /// <summary>What was measured, against what.</summary>
    public required string Title { get; init; }

    /// <summary>What the value counts.</summary>
    public required Unit Unit { get; init; }

    /// <summary>Null when it could not be measured.</summary>
    public double? Value { get; init; }

    /// <summary>Null when nothing is asked.</summary>
    public Goal? Goal { get; init; }

    /// <summary>The value as a share of what the framework or the machine allows, measured in the same rounds: 1 is the limit itself. Null
    /// where no limit is known.</summary>
    public double? OfLimit { get; init; }

    /// <summary>The medians behind the value and the conditions they were taken under; or why there is no value.</summary>
    public required string Detail { get; init; }

    /// <summary>In the place of a row's figures that could not be measured; never passes a check.</summary>
    public static Figure Failed(string row, Exception failure) => new()
    {
        Id = row,
        Title = "the rest of this row failed",
        Unit = Unit.Events,
        Goal = Goal.AtLeast(1),
        Detail = $"{failure.GetType().Name}: {failure.Message}",
    };

    public Verdict Verdict => Value is not { } value ? Verdict.NotMeasured : Goal?.Judge(value) ?? Verdict.Information;
}
