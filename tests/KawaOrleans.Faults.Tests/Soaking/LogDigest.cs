using System.Globalization;
using System.IO.Hashing;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>What a reader saw, in few bytes: two readers of the same sequence have the same.</summary>
internal sealed class LogDigest
{
    private readonly XxHash3 _hash = new();
    private long _count;

    /// <summary>Events seen; the position of the next one.</summary>
    public long Count => Volatile.Read(ref _count);

    public ulong Hash => _hash.GetCurrentHashAsUInt64();

    /// <summary>Takes the next event; answers what is wrong with its position, or null.</summary>
    public string? Next(RecordedEvent e)
    {
        var expected = _count;
        _hash.Append(e.Id.ToByteArray());
        _hash.Append(e.Data.Span);
        Volatile.Write(ref _count, expected + 1);
        return e.Position == expected ? null : string.Create(CultureInfo.InvariantCulture, $"event {expected} has position {e.Position}");
    }
}
