namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>What several rows of a run share: made when first asked for, ended with the run, the last one first.</summary>
internal sealed class Fixtures : IDisposable
{
    private readonly List<IDisposable> _made = [];

    public T Get<T>(Func<T> make)
        where T : IDisposable
    {
        if (_made.OfType<T>().FirstOrDefault() is { } made)
        {
            return made;
        }

        made = make();
        _made.Add(made);
        return made;
    }

    public void Dispose()
    {
        for (var i = _made.Count - 1; i >= 0; i--)
        {
            _made[i].Dispose();
        }
    }
}
