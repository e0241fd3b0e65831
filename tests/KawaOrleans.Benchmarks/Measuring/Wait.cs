namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>Rows run one after another on one thread; what they measure is asynchronous.</summary>
internal static class Wait
{
    public static T For<T>(Func<Task<T>> work) => Task.Run(work).GetAwaiter().GetResult();

    public static void For(Func<Task> work) => Task.Run(work).GetAwaiter().GetResult();
}
