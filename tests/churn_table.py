"""A small table of customers, the same each time: who leaves is a matter of contract, charges and tenure, and of chance."""
import random


def write_table(path):
    r = random.Random(1)
    with open(path, 'w') as f:
        f.write('tenure,charges,contract,Churn\n')
        for _ in range(800):
            tenure, charges, contract = r.randrange(1, 72), round(r.uniform(20, 120), 2), r.choice(['monthly', 'yearly'])
            risk = 0.6 * (contract == 'monthly') + 0.3 * (charges > 80) - tenure / 150
            f.write(f'{tenure},{charges},{contract},{"Yes" if r.random() < risk else "No"}\n')
