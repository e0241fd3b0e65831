using System.IO.Hashing;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Streams;

/// <summary>A stream's name with its hash. The hash only narrows a search: two names may share one, so whoever finds compares names.</summary>
internal readonly ref struct StreamName
{
    public StreamName(ReadOnlySpan<byte> utf8)
    {
        Utf8 = utf8;
        FullHash = XxHash3.HashToUInt64(utf8);
    }

    public ReadOnlySpan<byte> Utf8 { get; }

    /// <summary>What filters take.</summary>
    public ulong FullHash { get; }

    /// <summary>What frames carry and tables are sorted by: <see cref="EventBody.HashStream"/>.</summary>
    public uint Hash => unchecked((uint)FullHash);
}
