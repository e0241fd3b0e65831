using System.Runtime.InteropServices;
using System.Text;
using KawaOrleans.Server.Queries;

namespace KawaOrleans.Server;

/// <summary>The values of an aggregation over one range, by key. Keys are UTF-8, as events hold them, so that finding one again
/// allocates nothing.</summary>
public sealed class AggregationValues
{
    /// <summary>The most keys a result may have: 100,000. More belong into a read model of your own.</summary>
    public const int MaxKeys = 100_000;

    private readonly string _aggregation;
    private readonly Dictionary<byte[], long> _values = new(Utf8Comparer.Instance);
    private readonly Dictionary<byte[], long>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    internal AggregationValues(string aggregation)
    {
        _aggregation = aggregation;
        _lookup = _values.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>How many keys there are.</summary>
    public int Count => _values.Count;

    /// <summary>The value under a key, 0 at first; assign to it.</summary>
    /// <param name="keyUtf8">The key, UTF-8.</param>
    /// <exception cref="RequestRefusedException">There are <see cref="MaxKeys"/> keys already.</exception>
    public ref long this[ReadOnlySpan<byte> keyUtf8]
    {
        get
        {
            ref var value = ref CollectionsMarshal.GetValueRefOrAddDefault(_lookup, keyUtf8, out var existed);
            if (!existed && _values.Count > MaxKeys)
            {
                throw TooMany(_aggregation);
            }

            return ref value;
        }
    }

    internal static RequestRefusedException TooMany(string aggregation) => new(
        $"Aggregation '{aggregation}' found more than {MaxKeys} keys, the most a result may have. Narrow the range or the filter, or choose coarser keys.");

    internal Dictionary<string, long> ToDictionary()
    {
        var result = new Dictionary<string, long>(_values.Count, StringComparer.Ordinal);
        foreach (var (key, value) in _values)
        {
            result.Add(Encoding.UTF8.GetString(key), value);
        }

        return result;
    }
}
