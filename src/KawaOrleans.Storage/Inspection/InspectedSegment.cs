using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Inspection;

/// <summary>What lies behind the end of a sealed segment.</summary>
internal enum FooterState
{
    /// <summary>The segment is not sealed, or where it ends is unknown.</summary>
    NotYet,

    /// <summary>Not written: the next start of the silo does it.</summary>
    Missing,

    Whole,

    /// <summary>Begun and not whole, or it contradicts the frames; it can be rebuilt.</summary>
    Broken,
}

/// <summary>A segment file as <see cref="SegmentInspection"/> found it.</summary>
internal sealed record InspectedSegment
{
    public required string Path { get; init; }

    public required long FileBytes { get; init; }

    /// <summary>Null when it does not verify.</summary>
    public SegmentHeader? Header { get; init; }

    /// <summary>Null when a sector does not verify, so that its state is unknown.</summary>
    public SegmentLoader.States? States { get; init; }

    /// <summary>Where it ends; null when damage hides it.</summary>
    public Tail? Tail { get; init; }

    /// <summary>Bytes of an unfinished write group behind the tail.</summary>
    public long TornBytes { get; init; }

    /// <summary>A mapped segment whose machine went down: acknowledged events may be missing.</summary>
    public bool LostPower { get; init; }

    /// <summary>Every place of header, sectors and frames that is not as written, in the order of offsets.</summary>
    public required IReadOnlyList<DamagedPlace> Damage { get; init; }

    public FooterState Footer { get; init; }

    /// <summary>The footer as the frames say it must be; only of a sealed segment whose every frame was read and is whole.</summary>
    public Footer? FooterOfFrames { get; init; }

    /// <summary>The offset behind the last whole frame that was read.</summary>
    public long LastWholeEnd { get; init; }

    public long Events => Tail is { } tail && Header is { } header ? tail.Position - header.BasePosition : 0;

    /// <summary>The damage, and the footer's, if it is broken.</summary>
    public IEnumerable<DamagedPlace> AllDamage => Footer == FooterState.Broken && Tail is { } tail
        ? Damage.Append(new DamagedPlace(Path, tail.Offset, "the footer does not verify or contradicts the frames; 'kawa rebuild-index' writes it anew"))
        : Damage;
}
