using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>Names whose hashes are the same. Frames keep 32 bits, so among some hundred thousand names there are such pairs.</summary>
internal static class SameHash
{
    private static readonly Lazy<IReadOnlyList<(string A, string B)>> Found = new(Find);

    public static IReadOnlyList<(string A, string B)> Pairs => Found.Value;

    private static List<(string A, string B)> Find()
    {
        var seen = new Dictionary<uint, string>();
        var pairs = new List<(string A, string B)>();
        for (var i = 0; pairs.Count < 3; i++)
        {
            var name = $"order-{i}";
            if (!seen.TryAdd(new StreamName(Encoding.UTF8.GetBytes(name)).Hash, name))
            {
                pairs.Add((seen[new StreamName(Encoding.UTF8.GetBytes(name)).Hash], name));
            }
        }

        return pairs;
    }
}
