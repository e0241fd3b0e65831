using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Recovery;

/// <summary>What recovery found in a file that is not sealed: all that a writer needs to go on.</summary>
internal sealed record RecoveredTail
{
    /// <summary>Of a file that was never written.</summary>
    public static RecoveredTail Blank(string path, SegmentHeader header) => new()
    {
        Tail = new Tail(header.BasePosition, FileLayout.FirstFrame, header.TimestampFloor),
        Positions = new DensePositions(path, []),
        Streams = new OpenStreams(path),
        ContentHash = Segments.ContentHash.Empty,
        LastCheckpoint = 0,
        UncoveredFrom = FileLayout.FirstFrame,
        CoveredPositions = 0,
        HintSequence = 0,
        GroupStart = 0,
        PowerWasLost = false,
        TornBytes = 0,
    };

    public required Tail Tail { get; init; }

    public required DensePositions Positions { get; init; }

    public required OpenStreams Streams { get; init; }

    public required ulong ContentHash { get; init; }

    /// <summary>The offset of the last checkpoint; 0: none.</summary>
    public required long LastCheckpoint { get; init; }

    /// <summary>Where the frames begin that may not be on disk: those before were synced before a later one was written.</summary>
    public required long UncoveredFrom { get; init; }

    /// <summary>How many events the last checkpoint covers.</summary>
    public required int CoveredPositions { get; init; }

    /// <summary>The sequence number of the newest good hint; 0: none.</summary>
    public required long HintSequence { get; init; }

    /// <summary>Where the write group at the tail begins, of which a crash may have left a part; 0: no frame is there.</summary>
    public required long GroupStart { get; init; }

    /// <summary>True when the page cache the acknowledgements rested on is gone.</summary>
    public required bool PowerWasLost { get; init; }

    /// <summary>Bytes of an unfinished write group behind the tail; 0: the file ended cleanly.</summary>
    public required long TornBytes { get; init; }
}
