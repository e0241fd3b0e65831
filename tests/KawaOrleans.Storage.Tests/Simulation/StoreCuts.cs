namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>What a writer that dies in the middle of its stores leaves in the page cache. Processors and compilers may order
/// stores, so besides every prefix in the order of addresses there are choices of words in no order at all.</summary>
internal static class StoreCuts
{
    private const int WordBytes = 8;

    /// <param name="store">The stores that were under way.</param>
    /// <param name="seed">Chooses the cuts.</param>
    /// <param name="everyWord">Cut behind each word; else behind a few.</param>
    /// <returns>Bytes that take the place of what is there; null in a word means that it stays.</returns>
    public static IEnumerable<(Func<byte[], byte[]> Left, string How)> Of(Operation store, int seed, bool everyWord)
    {
        var final = store.Bytes!;
        var choice = new Random(seed);
        var cuts = everyWord
            ? Enumerable.Range(0, final.Length / WordBytes)
            : Enumerable.Range(0, 4).Select(_ => choice.Next(final.Length / WordBytes)).Distinct().ToList();
        foreach (var cut in cuts.Select(static word => word * WordBytes))
        {
            yield return (before => [.. final[..cut], .. before[cut..]], $"{cut} bytes were stored");
            if (store.Unstamped is { } unstamped)
            {
                yield return (before => [.. unstamped[..cut], .. before[cut..]], $"{cut} bytes were copied");
                yield return (_ => [.. final[..cut], .. unstamped[cut..]], $"{cut} of the copied bytes were stamped");
            }
        }

        for (var pick = 0; pick < (everyWord ? 20 : 2); pick++)
        {
            var words = choice.Next();
            yield return (before => Mixed(words, before, store.Unstamped ?? before, final), $"words of seed {words} were stored");
        }
    }

    private static byte[] Mixed(int seed, params byte[][] versions)
    {
        var choice = new Random(seed);
        var mixed = new byte[versions[0].Length];
        for (var at = 0; at < mixed.Length; at += WordBytes)
        {
            var word = Math.Min(WordBytes, mixed.Length - at);
            versions[choice.Next(versions.Length)].AsSpan(at, word).CopyTo(mixed.AsSpan(at));
        }

        return mixed;
    }
}
